//! Limits through Redis by TLS, feature `redis-tls`.

use std::{fs, net::TcpListener, path::Path};

use kimi_errors::ErrorKind;
use kimi_testkit::redis::RedisServer;
use kimi_tower::redis::{RedisLink, rate::RedisRateStore};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use redis::{Client, TlsCertificates};

use super::{MINUTE, asks_many, one, rule};
use kimi_tower::rate_limit::store::RateStore as _;

/// Puts a certificate and its key where the server reads them. Its own port stays without TLS.
fn settings(dir: &Path, port: u16, made: &CertifiedKey<KeyPair>) -> Vec<String> {
    let texts = [("cert", made.cert.pem()), ("key", made.signing_key.serialize_pem())];
    let [cert, key] = texts.map(|(name, text)| {
        fs::write(dir.join(name), text).unwrap();
        dir.join(name).display().to_string()
    });
    let words = [
        ["--tls-port".to_owned(), port.to_string()],
        ["--tls-cert-file".to_owned(), cert.clone()],
        ["--tls-key-file".to_owned(), key],
        ["--tls-ca-cert-file".to_owned(), cert],
        ["--tls-auth-clients".to_owned(), "no".to_owned()],
    ];
    words.into_iter().flatten().collect()
}

#[tokio::test]
async fn limits_hold_by_tls_and_a_certificate_of_a_stranger_is_none() {
    // As a program does; it may be done already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // Signed by nobody else.
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let Some(_redis) = RedisServer::start_with(|dir| settings(dir, port, &made)) else { return };
    let url = format!("rediss://localhost:{port}");
    let known = TlsCertificates { client_tls: None, root_cert: Some(made.cert.pem().into()) };
    let client = Client::build_with_tls(url.as_str(), known).unwrap();
    let store = RedisRateStore::new(RedisLink::of(client).with_timeout(MINUTE), rule(3, MINUTE));
    assert_eq!(asks_many(&store, 9).await, 3);
    // One who knows the roots of the web alone does not trust it.
    let link = RedisLink::try_new(url.as_str()).unwrap().with_timeout(MINUTE);
    let stranger = RedisRateStore::new(link, rule(3, MINUTE));
    let error = stranger.ask(&one(&stranger)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
