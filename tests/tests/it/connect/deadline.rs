//! How long connecting takes.

use std::{
    future::{pending, ready},
    io,
    net::SocketAddr,
    time::Duration,
};

use kimi_validate::{
    connect::{Dial, Guard},
    file_url::{Reason, UrlPolicy},
};
use tokio::time::{Instant, sleep};

use super::{Dialed, answers, url};

/// Waits for ever, but for one address.
struct Answering(&'static str);

impl Dial for Answering {
    type Stream = SocketAddr;

    async fn dial(&self, address: SocketAddr) -> io::Result<(SocketAddr, SocketAddr)> {
        if address.ip().to_string() != self.0 {
            pending::<()>().await;
        }
        Ok((address, address))
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_never_answers_ends_with_the_deadline() {
    let guard = Guard::new(UrlPolicy::new())
        .with_resolver(|_: &str| pending())
        .with_dialer(Dialed::default());
    let begin = Instant::now();
    assert_eq!(
        guard.connect(&url("http://example.com/")).await.unwrap_err().reason(),
        Reason::Unreachable
    );
    assert_eq!(begin.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn addresses_that_never_answer_end_with_the_deadline() {
    let guard = Guard::new(UrlPolicy::new())
        .with_resolver(answers(&["8.8.8.8", "8.8.4.4", "1.1.1.1"]))
        .with_dialer(Answering(""))
        .with_deadline(Duration::from_secs(3));
    let begin = Instant::now();
    assert_eq!(
        guard.connect(&url("http://example.com/")).await.unwrap_err().reason(),
        Reason::Unreachable
    );
    let taken = begin.elapsed();
    assert!((2_990..=3_010).contains(&taken.as_millis()), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_never_answers_leaves_time_for_the_next() {
    let guard = Guard::new(UrlPolicy::new())
        .with_resolver(answers(&["8.8.8.8", "8.8.4.4", "1.1.1.1"]))
        .with_dialer(Answering("1.1.1.1"));
    let connected = guard.connect(&url("http://example.com/")).await.unwrap();
    assert_eq!(connected.to_string(), "1.1.1.1:80");
}

/// What the resolver took is not given to the dialer once more.
#[tokio::test(start_paused = true)]
async fn the_deadline_is_for_both_together() {
    let guard = Guard::new(UrlPolicy::new())
        .with_resolver(|_: &str| async {
            sleep(Duration::from_secs(4)).await;
            Ok(vec![[8, 8, 8, 8].into()])
        })
        .with_dialer(Answering(""));
    let begin = Instant::now();
    guard.connect(&url("http://example.com/")).await.unwrap_err();
    let taken = begin.elapsed();
    assert!((4_990..=5_010).contains(&taken.as_millis()), "{taken:?}");
}

/// Refuses each connection.
#[derive(Clone, Default)]
struct Closed(Dialed);

impl Dial for Closed {
    type Stream = ();

    async fn dial(&self, address: SocketAddr) -> io::Result<((), SocketAddr)> {
        self.0.dial(address).await?;
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_thousand_addresses_eight_are_dialed() {
    let closed = Closed::default();
    let guard = Guard::new(UrlPolicy::new())
        .with_resolver(|_: &str| {
            ready(Ok((0..1_000_u32)
                .map(|it| std::net::Ipv4Addr::from_bits(0x0808_0000 + it).into())
                .collect()))
        })
        .with_dialer(closed.clone());
    guard.connect(&url("http://example.com/")).await.unwrap_err();
    assert_eq!(closed.0.0.lock().await.len(), 8);
}

/// So that neither a pin nor another client's connector has more of them.
#[tokio::test(start_paused = true)]
async fn of_a_thousand_addresses_eight_are_kept() {
    let all = |_: &str| {
        ready(Ok((0..1_000_u32)
            .map(|it| std::net::Ipv4Addr::from_bits(0x0808_0000 + it).into())
            .collect()))
    };
    let guard = Guard::new(UrlPolicy::new()).with_resolver(all);
    // The second time from the pins.
    for _ in 0..2 {
        let addresses = guard.vet(&url("http://example.com/")).await.unwrap();
        let (first, last) = (addresses[0].to_string(), addresses.last().unwrap().to_string());
        assert_eq!((addresses.len(), &*first, &*last), (8, "8.8.0.0:80", "8.8.0.7:80"));
    }
}

/// The last of them counts, though it would not be tried.
#[tokio::test(start_paused = true)]
async fn all_of_a_thousand_addresses_are_judged() {
    let guard = Guard::new(UrlPolicy::new()).with_resolver(|_: &str| {
        let mut all = vec![[8, 8, 8, 8].into(); 1_000];
        all.push([127, 0, 0, 1].into());
        ready(Ok(all))
    });
    let refused = guard.vet(&url("http://example.com/")).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn no_duration_is_too_long() {
    let guard = Guard::new(UrlPolicy::new())
        .with_resolver(answers(&["8.8.8.8"]))
        .with_dialer(Dialed::default())
        .with_deadline(Duration::MAX)
        .with_pin_lifetime(Duration::MAX);
    guard.connect(&url("http://example.com/")).await.unwrap();
}
