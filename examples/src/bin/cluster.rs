//! Two gateways that share one Redis: one limit, and one turn of each conversation, on both.
//!
//! ```text
//! cargo run --bin cluster
//! ```
//!
//! starts a `redis-server` of its own, from the PATH, or takes that of `--redis`; two gateways in front of
//! one scripted upstream; and prints what to try. Each API key has 5 requests a minute, on both together.
#![expect(clippy::print_stdout, reason = "it talks to a person at a terminal")]

use std::{
    hash::{BuildHasher as _, RandomState},
    net::{Ipv4Addr, SocketAddr},
};

use axum::serve::Listener as _;
use clap::Parser;
use kimi_errors::BoxError;
use kimi_examples::{
    gateway::{Limits, Settings, Shared, Upstream, listen, router},
    told_to_end,
};
use kimi_testkit::{mock::Mock, redis::RedisServer, server::MockServer};
use tokio::task::JoinSet;

/// Two gateways that share one Redis.
#[derive(Parser)]
#[command(name = "cluster", version)]
struct Options {
    /// Where the first listens; the second does one port above. Port 0 takes free ones.
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    port: u16,
    /// A Redis or Valkey that is there. Without it, one is started.
    #[arg(long, value_name = "URL", env = "KIMI_GATEWAY_REDIS", hide_env_values = true)]
    redis: Option<String>,
    /// How many requests each API key may make in a minute, on both together.
    #[arg(long, value_name = "N", default_value_t = 5)]
    rpm: u32,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let options = Options::parse();
    // Held until the end, as the scripted upstream is: dropping them stops them.
    let (redis, url) = match options.redis {
        Some(url) => (None, url),
        None => {
            let redis =
                RedisServer::start().ok_or("redis-server is not on the PATH: use --redis")?;
            let url = redis.url();
            (Some(redis), url)
        }
    };
    let mock = MockServer::start(Mock::platform().with_history(0)).await?;
    let upstream: Upstream = mock.url().parse()?;

    // The same on both, and of this pair alone; a real one is kept where other secrets are.
    let random = || RandomState::new().hash_one(0);
    let secret = format!("{:016x}{:016x}", random(), random());
    let mut gateways = JoinSet::new();
    let mut urls = Vec::new();
    for number in 0..2_u16 {
        let settings = Settings {
            limits: Limits::none().try_with_requests(options.rpm)?,
            shared: Some(Shared::try_new(&url, &secret)?),
            ..Settings::default()
        };
        let port = if options.port == 0 { 0 } else { options.port + number };
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        urls.push(format!("http://{}", listener.local_addr()?));
        let router = router(upstream.clone(), settings);
        gateways.spawn(async move { axum::serve(listener, router).await });
    }
    for url in &urls {
        println!("gateway:  {url}");
    }
    println!("redis:    {}", if redis.is_some() { "started for them" } else { "given" });
    println!(
        "
Requests to the two in turn; after {} the next is refused, wherever it goes:

for i in 1 2 3 4 5 6; do for url in {} {}; do
  curl -sS -o /dev/null -w '%{{http_code}} ' $url/v1/chat/completions \\
    -H 'content-type: application/json' -H 'authorization: Bearer sk-any' \\
    -d '{{\"model\":\"kimi-k3\",\"messages\":[{{\"role\":\"user\",\"content\":\"你好\"}}]}}'
done; done",
        options.rpm, urls[0], urls[1]
    );
    tokio::select! {
        stopped = gateways.join_next() => { stopped.transpose()?; }
        // So that the Redis that it has started ends as well.
        told = told_to_end() => told?,
    }
    Ok(())
}
