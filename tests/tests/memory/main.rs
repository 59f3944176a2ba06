//! What a check of a file takes in memory, as its allocator is asked for it: over sockets, with the
//! servers on threads that are not counted.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::print_stdout, reason = "what was measured stands in the docs of `connect`")]

mod servers;

use std::time::Duration;

use allocation_counter::measure;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Empty;
use hyper_util::{
    client::legacy::{Builder, Client},
    rt::TokioExecutor,
};
use kimi_errors::BoxError;
use kimi_validate::{
    connect::{Guard, GuardedConnector, ReqwestClient},
    file_url::{Reason, RemoteUrl, UrlPolicy},
    probe::FileProbe,
};
use tokio::runtime;
use tower_service::Service;

use self::servers::Server;

const KIB: u64 = 1024;

fn local() -> UrlPolicy {
    let range = "127.0.0.0/8".parse().unwrap();
    UrlPolicy::new().with_unprivileged_ports().with_allowed_ranges([range])
}

/// As the docs of `connect` recommend.
fn bounded() -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .http1_max_buf_size(32 * 1024)
        .http2_initial_stream_window_size(64 * 1024)
        .http2_initial_connection_window_size(64 * 1024)
        .http2_max_frame_size(16 * 1024);
    builder
}

fn hyper(builder: &Builder) -> Client<GuardedConnector, Empty<Bytes>> {
    builder.build(GuardedConnector::new(Guard::new(local())))
}

fn reqwest() -> ReqwestClient {
    ReqwestClient::try_new(::reqwest::Client::builder(), Guard::new(local())).unwrap()
}

/// Returns what a check comes to, and the most bytes that it had at once.
fn check<S, ReqBody, ResBody>(client: S, server: Server) -> (Result<u64, Reason>, u64)
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    ReqBody: Default,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    let port = server.start();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Nothing is timed here, on however slow a machine.
    let probe = FileProbe::new(client)
        .with_policy(local())
        .with_max_bytes(16 * 1024 * 1024)
        .with_deadline(Duration::from_secs(600));
    let url = RemoteUrl::parse(&format!("http://127.0.0.1:{port}/a"), probe.policy()).unwrap();
    let mut checked = None;
    let taken = measure(|| checked = Some(runtime.block_on(probe.check(&url))));
    let checked = checked.unwrap().map(|file| file.size().bytes()).map_err(|it| it.reason());
    println!("{server:?}: {checked:?}, {} bytes", taken.bytes_max);
    (checked, taken.bytes_max)
}

#[test]
fn a_check_with_the_recommended_client_takes_no_more_than_128_kib() {
    for (server, expected) in [
        (Server::Endless, Err(Reason::TooLarge)),
        (Server::LongHead, Err(Reason::Unreachable)),
        (Server::Drip, Ok(20_000)),
    ] {
        let (checked, bytes) = check(hyper(&bounded()), server);
        assert_eq!(checked, expected, "{server:?}");
        assert!(bytes <= 128 * KIB, "{server:?}: {bytes}");
    }
}

#[test]
fn nor_does_one_over_http2() {
    let mut builder = bounded();
    let (checked, bytes) = check(hyper(builder.http2_only(true)), Server::EndlessHttp2);
    assert_eq!(checked, Err(Reason::TooLarge));
    assert!(bytes <= 128 * KIB, "{bytes}");
}

/// Why anything is recommended: as they are, clients have more.
#[test]
fn a_client_as_it_is_takes_more() {
    let mut builder = Client::builder(TokioExecutor::new());
    let (_, bytes) = check(hyper(&builder), Server::LongHead);
    assert!(bytes > 400 * KIB, "{bytes}");
    let (_, bytes) = check(hyper(builder.http2_only(true)), Server::EndlessHttp2);
    assert!(bytes > 128 * KIB, "{bytes}");
}

/// The buffer of its connections cannot be set.
#[test]
fn a_check_with_reqwest_takes_no_more_than_1_mib() {
    for (server, expected) in [
        (Server::Endless, Err(Reason::TooLarge)),
        (Server::LongHead, Ok(1)),
        (Server::Drip, Ok(20_000)),
    ] {
        let (checked, bytes) = check::<_, ::reqwest::Body, _>(reqwest(), server);
        assert_eq!(checked, expected, "{server:?}");
        assert!(bytes <= 1024 * KIB, "{server:?}: {bytes}");
    }
}
