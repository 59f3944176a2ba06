mod deadline;
mod rebinding;
mod reqwest;
mod sockets;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use kimi_validate::{
    connect::{Dial, Guard, Resolve},
    file_url::{Reason, RemoteUrl, UrlPolicy},
};
use tokio::sync::Mutex;

/// Opens no connection, and remembers what it was to open one to.
#[derive(Clone, Default)]
struct Dialed(Arc<Mutex<Vec<SocketAddr>>>);

impl Dial for Dialed {
    type Stream = SocketAddr;

    async fn dial(&self, address: SocketAddr) -> io::Result<(SocketAddr, SocketAddr)> {
        self.0.lock().await.push(address);
        Ok((address, address))
    }
}

fn url(text: &str) -> RemoteUrl {
    RemoteUrl::parse(text, &UrlPolicy::new()).unwrap()
}

fn answers(addresses: &[&str]) -> impl Resolve + Send + Sync + 'static {
    let addresses: Vec<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
    move |_: &str| std::future::ready(Ok(addresses.clone()))
}

#[tokio::test(start_paused = true)]
async fn if_one_address_is_refused_all_are() {
    for bad in [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "169.254.169.254",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "fe80::1",
    ] {
        for addresses in [&[bad][..], &["8.8.8.8", bad], &[bad, "8.8.8.8"]] {
            let dialed = Dialed::default();
            let guard = Guard::new(UrlPolicy::new())
                .with_resolver(answers(addresses))
                .with_dialer(dialed.clone());
            let refused = guard.connect(&url("http://example.com/")).await.unwrap_err();
            assert_eq!(refused.reason(), Reason::Unreachable);
            assert!(dialed.0.lock().await.is_empty(), "{addresses:?}");
        }
    }
}

/// As `198.100.1.7.nip.io` has the address in its name, any name may have it behind it.
#[tokio::test(start_paused = true)]
async fn a_denied_address_is_not_dialed_behind_a_name() {
    let denied = UrlPolicy::new().with_denied_hosts(["8.8.8.8", "2a00::8"]).unwrap();
    for address in
        ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2a00:1450::5efe:8.8.8.8", "2a00::8"]
    {
        for addresses in [&[address][..], &["1.1.1.1", address]] {
            let dialed = Dialed::default();
            let guard = Guard::new(denied.clone())
                .with_resolver(answers(addresses))
                .with_dialer(dialed.clone());
            let refused = guard.connect(&url("http://8.8.8.8.example.com/")).await.unwrap_err();
            assert_eq!(refused.reason(), Reason::Unreachable, "{addresses:?}");
            assert!(dialed.0.lock().await.is_empty(), "{addresses:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_dialed_is_the_first_address_with_the_port_of_the_url() {
    for (text, addresses, expected) in [
        ("http://example.com/", &["8.8.8.8", "1.1.1.1"][..], "8.8.8.8:80"),
        ("https://example.com/", &["2606:4700:4700::1111"], "[2606:4700:4700::1111]:443"),
        ("http://example.com:443/", &["::ffff:8.8.8.8"], "8.8.8.8:443"),
        ("http://example.com/", &["64:ff9b::808:808"], "[64:ff9b::808:808]:80"),
        ("http://[::ffff:8.8.8.8]/", &[], "8.8.8.8:80"),
        ("http://1.1.1.1/", &[], "1.1.1.1:80"),
    ] {
        let guard = Guard::new(UrlPolicy::new())
            .with_resolver(answers(addresses))
            .with_dialer(Dialed::default());
        let dialed = guard.connect(&url(text)).await.unwrap();
        assert_eq!(dialed, expected.parse().unwrap(), "{text}");
    }
}

/// Refused by the policy of the guard, though another had let the URL through.
#[tokio::test(start_paused = true)]
async fn an_address_in_the_url_is_judged_too() {
    let wide =
        UrlPolicy::new().with_allowed_ranges(["0.0.0.0/0", "::/0"].map(|it| it.parse().unwrap()));
    for text in ["http://127.0.0.1/", "http://[::1]/", "http://[::ffff:a00:1]/"] {
        let dialed = Dialed::default();
        let guard = Guard::new(UrlPolicy::new()).with_dialer(dialed.clone());
        let url = RemoteUrl::parse(text, &wide).unwrap();
        assert_eq!(guard.connect(&url).await.unwrap_err().reason(), Reason::Unreachable);
        assert!(dialed.0.lock().await.is_empty());
    }
}

/// Answers with a connection to somewhere else.
struct Bent;

impl Dial for Bent {
    type Stream = ();

    async fn dial(&self, address: SocketAddr) -> io::Result<((), SocketAddr)> {
        Ok(((), SocketAddr::new([127, 0, 0, 1].into(), address.port())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_to_another_address_is_not_used() {
    let guard = Guard::new(UrlPolicy::new()).with_dialer(Bent);
    let refused = guard.connect(&url("http://8.8.8.8/")).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn no_refusal_tells_which_failure_it_was() {
    let mut shown = Vec::new();
    for addresses in [&["10.0.0.1"][..], &["169.254.169.254"], &[]] {
        let guard = Guard::new(UrlPolicy::new())
            .with_resolver(answers(addresses))
            .with_dialer(Dialed::default());
        shown.push(guard.connect(&url("http://example.com/")).await.unwrap_err());
    }
    let guard = Guard::new(UrlPolicy::new()).with_dialer(Bent);
    shown.push(guard.connect(&url("http://8.8.8.8/")).await.unwrap_err());
    let guard =
        guard.with_resolver(|_: &str| std::future::ready(Err(io::Error::other("no 10.0.0.1"))));
    shown.push(guard.connect(&url("http://example.com/")).await.unwrap_err());
    let first = format!("{:?} {}", shown[0], shown[0]);
    for refused in &shown {
        assert_eq!(format!("{refused:?} {refused}"), first);
        assert!(std::error::Error::source(refused).is_some());
    }
}
