//! With hyper-util's client, over sockets of this machine.

use std::{
    future::ready,
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use kimi_validate::{
    connect::{Guard, GuardedConnector, Resolve, TcpDialer},
    file_url::{Reason, RemoteUrl, UrlPolicy},
    probe::{FileProbe, FileSize},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers every request with a small PDF, closes, and tells which hosts were asked for.
pub(super) async fn serve() -> (u16, Arc<AtomicUsize>, tokio::sync::mpsc::UnboundedReceiver<String>)
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepted = Arc::new(AtomicUsize::new(0));
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let counter = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Relaxed);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read_exact(&mut byte).await.is_err() {
                    break;
                }
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            let host = head.lines().find_map(|line| line.strip_prefix("host: "));
            let _ = tell.send(host.unwrap_or_default().to_owned());
            let mut answer =
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/pdf\r\n\
                content-length: 8\r\n\r\n"
                    .to_owned();
            if head.starts_with("get") {
                answer.push_str("%PDF-1.7");
            }
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, accepted, told)
}

fn probe<R: Resolve + Send + Sync + 'static>(
    guard: Guard<R, TcpDialer>,
) -> FileProbe<Client<GuardedConnector<R, TcpDialer>, Empty<Bytes>>> {
    let policy = Arc::clone(guard.policy());
    let client = Client::builder(TokioExecutor::new()).build(GuardedConnector::new(guard));
    FileProbe::new(client).with_policy(policy)
}

pub(super) fn local() -> UrlPolicy {
    let range = "127.0.0.0/8".parse().unwrap();
    UrlPolicy::new().with_unprivileged_ports().with_allowed_ranges([range])
}

#[tokio::test]
async fn a_file_is_checked_and_fetched_from_one_place_under_its_own_name() {
    let (port, accepted, mut told) = serve().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    // The second answer would be another.
    let resolver = move |name: &str| {
        assert_eq!(name, "files.example.com");
        let last = if counter.fetch_add(1, Relaxed) == 0 { 1 } else { 2 };
        ready(io::Result::Ok(vec![IpAddr::from([127, 0, 0, last])]))
    };
    let probe = probe(Guard::new(local()).with_resolver(resolver));
    let url = format!("http://files.example.com:{port}/a.pdf");
    let url = RemoteUrl::parse(&url, probe.policy()).unwrap();
    let file = probe.check(&url).await.unwrap();
    assert_eq!(file.size(), FileSize::Announced(8));
    let body = probe.fetch(&file).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "%PDF-1.7");
    assert_eq!((accepted.load(Relaxed), asked.load(Relaxed)), (2, 1));
    for _ in 0..2 {
        assert_eq!(told.recv().await.unwrap(), format!("files.example.com:{port}"));
    }
}

#[tokio::test]
async fn without_an_allowed_range_nobody_is_called() {
    let (port, accepted, _told) = serve().await;
    let policy = UrlPolicy::new().with_unprivileged_ports();
    let resolver = |_: &str| ready(io::Result::Ok(vec![IpAddr::from([127, 0, 0, 1])]));
    let probe = probe(Guard::new(policy).with_resolver(resolver));
    let url = format!("http://files.example.com:{port}/a.pdf");
    let named = RemoteUrl::parse(&url, probe.policy()).unwrap();
    // An address that another policy has let through.
    let literal = RemoteUrl::parse(&format!("http://127.0.0.1:{port}/"), &local()).unwrap();
    for url in [named, literal] {
        assert_eq!(probe.check(&url).await.unwrap_err().reason(), Reason::Unreachable);
    }
    assert_eq!(accepted.load(Relaxed), 0);
}

/// What fails on the way reads the same, whether nobody listens or nobody may be asked.
#[tokio::test]
async fn a_closed_port_reads_like_a_refused_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let probe = probe(Guard::new(local()));
    let url = RemoteUrl::parse(&format!("http://127.0.0.1:{port}/"), probe.policy()).unwrap();
    let refused = probe.check(&url).await.unwrap_err();
    assert_eq!(refused.to_string(), "the file cannot be reached (unreachable)");
    assert_eq!(format!("{refused:?}"), "Refused { reason: Unreachable, .. }");
}

/// The system's own, for a name that needs no network.
#[tokio::test]
async fn the_system_resolves_localhost_to_what_is_refused() {
    let policy = UrlPolicy::new().with_allowed_hosts(["localhost"]).unwrap();
    let guard = Guard::new(policy);
    let url = RemoteUrl::parse("http://localhost/", guard.policy()).unwrap();
    assert_eq!(guard.vet(&url).await.unwrap_err().reason(), Reason::Unreachable);
    let range = ["127.0.0.0/8", "::1"].map(|it| it.parse().unwrap());
    let policy =
        UrlPolicy::new().with_allowed_hosts(["localhost"]).unwrap().with_allowed_ranges(range);
    let addresses = Guard::new(policy).vet(&url).await.unwrap();
    assert!(addresses.iter().all(|it| it.ip().is_loopback() && it.port() == 80), "{addresses:?}");
}
