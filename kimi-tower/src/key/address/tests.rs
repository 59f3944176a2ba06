//! Who is the client, and who only says so.

use std::{error::Error as _, net::IpAddr};

use http::{Extensions, Request};
use kimi_errors::{Error, ErrorKind};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::key::{ExtractKey, Key, KeyHasher};

const TRUSTED: [&str; 2] = ["10.0.0.0/8", "fd00::/8"];
const X_FORWARDED_FOR: &str = "x-forwarded-for";

type Peer = fn(&Extensions) -> Option<IpAddr>;

fn trusted() -> [Cidr; 2] {
    TRUSTED.map(|network| network.parse().unwrap())
}

/// Tells all addresses apart, so that each has its own key.
fn behind_proxies() -> ClientAddress<Peer> {
    let by_peer: Peer = |it| it.get().copied();
    let address = ClientAddress::new(by_peer).with_trusted_proxies(trusted());
    address.try_with_ipv6_prefix(128).unwrap()
}

fn extract(
    address: &ClientAddress<Peer>,
    peer: Option<IpAddr>,
    fields: &[(&str, &str)],
) -> Result<Option<Key>, Error> {
    let mut request =
        fields.iter().fold(Request::get("/"), |it, (name, line)| it.header(*name, *line));
    if let Some(peer) = peer {
        request = request.extension(peer);
    }
    let head = request.body(()).unwrap().into_parts().0;
    address.extract(&head, &KeyHasher::with_secret(&[7; 16]))
}

fn key(address: &ClientAddress<Peer>, peer: &str, fields: &[(&str, &str)]) -> Key {
    extract(address, Some(peer.parse().unwrap()), fields).unwrap().unwrap()
}

/// The key of a client that comes without a proxy.
fn key_of(client: &str) -> Key {
    key(&behind_proxies(), client, &[])
}

#[test]
fn the_client_is_the_first_from_the_right_that_is_not_trusted() {
    let table: &[(&str, &[&str], &str)] = &[
        // No word is taken of a peer that is not trusted.
        ("192.0.2.1", &["6.6.6.6"], "192.0.2.1"),
        ("192.0.2.1", &["6.6.6.6, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["6.6.6.6, 192.0.2.1, 10.0.0.3, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", &["6.6.6.6, 192.0.2.1", "10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", &["10.0.0.2, 6.6.6.6", "192.0.2.1"], "192.0.2.1"),
        ("::ffff:10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
        ("fd00::1", &["6.6.6.6, [2001:db8::1]:80, fd00::2"], "2001:db8::1"),
        // All of them are trusted: someone within.
        ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        // Whoever wrote this, the way ends there.
        ("10.0.0.1", &["6.6.6.6, unknown"], "10.0.0.1"),
        ("10.0.0.1", &["6.6.6.6, 192.0.2.999, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["6.6.6.6, _hidden, fd00::2"], "fd00::2"),
    ];
    for (peer, lines, client) in table {
        let fields: Vec<_> = lines.iter().map(|line| (X_FORWARDED_FOR, *line)).collect();
        assert_eq!(key(&behind_proxies(), peer, &fields), key_of(client), "{peer} {lines:?}");
    }
    assert_ne!(key_of("192.0.2.1"), key_of("6.6.6.6"));
}

#[test]
fn one_field_is_read_and_never_both() {
    let both = [(X_FORWARDED_FOR, "192.0.2.1"), ("forwarded", "for=192.0.2.2")];
    let (default, forwarded) = (behind_proxies(), behind_proxies().with_forwarded());
    assert_eq!(key(&default, "10.0.0.1", &both), key_of("192.0.2.1"));
    assert_eq!(key(&forwarded, "10.0.0.1", &both), key_of("192.0.2.2"));
    assert_eq!(key(&default, "10.0.0.1", &both[1..]), key_of("10.0.0.1"));
    assert_eq!(key(&forwarded, "10.0.0.1", &both[..1]), key_of("10.0.0.1"));
}

#[test]
fn no_proxy_is_trusted_by_default() {
    let by_peer: Peer = |it| it.get().copied();
    let found = key(&ClientAddress::new(by_peer), "127.0.0.1", &[(X_FORWARDED_FOR, "6.6.6.6")]);
    assert_eq!(found, key_of("127.0.0.1"));
}

#[test]
fn the_way_ends_at_the_32nd_hop() {
    let client = |count: u8| {
        let hops: Vec<_> = (1..=count).rev().map(|hop| format!("10.0.1.{hop}")).collect();
        let line = format!("192.0.2.1, {}", hops.join(", "));
        key(&behind_proxies(), "10.0.0.1", &[(X_FORWARDED_FOR, &line)])
    };
    assert_eq!(client(31), key_of("192.0.2.1"));
    assert_eq!(client(32), key_of("10.0.1.32"));
    assert_eq!(client(90), key_of("10.0.1.32"));
}

#[test]
fn an_unknown_peer_is_our_mistake_and_only_the_source_says_so() {
    let fields = [(X_FORWARDED_FOR, "192.0.2.1")];
    let error = extract(&behind_proxies(), None, &fields).unwrap_err();
    assert_eq!((error.errcode(), error.status()), (-1000, 500));
    assert_eq!(error.message(), Error::new(ErrorKind::System).message());
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "the request's extensions do not have the address of the peer");
}

#[test]
fn a_subnet_of_ipv6_is_one_caller() {
    let by_peer: Peer = |it| it.get().copied();
    let default = ClientAddress::new(by_peer);
    let of_bits = |bits| default.clone().try_with_ipv6_prefix(bits);
    let is_one = |address: &ClientAddress<Peer>, one: &str, other: &str| {
        key(address, one, &[]) == key(address, other, &[])
    };
    assert!(is_one(&default, "2001:db8:0:1::1", "2001:db8:0:1:ffff::"));
    assert!(!is_one(&default, "2001:db8:0:1::1", "2001:db8:0:2::1"));
    let widest = of_bits(32).unwrap();
    assert!(is_one(&widest, "2001:db8:0:1::1", "2001:db8:0:2::1"));
    assert!(!is_one(&widest, "2001:db8::", "2001:db9::"));
    assert!(!is_one(&of_bits(128).unwrap(), "2001:db8::1", "2001:db8::2"));
    // An IPv4 address is never cut, in whatever form.
    assert!(is_one(&widest, "::ffff:192.0.2.1", "192.0.2.1"));
    assert!(!is_one(&widest, "::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    for bits in [0, 31, 129, 255] {
        assert_eq!(of_bits(bits).err(), Some(CidrError::Prefix), "{bits}");
    }
}

fn stranger() -> impl Strategy<Value = IpAddr> {
    any::<IpAddr>()
        .prop_filter("a trusted one", |it| !trusted().iter().any(|network| network.contains(*it)))
}

fn proxy() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([10, a, b, c])),
        any::<u64>().prop_map(|it| IpAddr::V6((0xfd << 120 | u128::from(it)).into())),
    ]
}

fn with_port(address: IpAddr, port: Option<u16>) -> String {
    match (address, port) {
        (IpAddr::V6(it), Some(port)) => format!("[{it}]:{port}"),
        (IpAddr::V4(it), Some(port)) => format!("{it}:{port}"),
        (it, None) => it.to_string(),
    }
}

/// What a proxy writes into `forwarded`, beside a host that the client has chosen.
fn forwarded_element(address: IpAddr, port: Option<u16>) -> String {
    let node = match (address, port) {
        (IpAddr::V6(it), None) => format!("[{it}]"),
        (it, port) => with_port(it, port),
    };
    format!(r#"host="for=6.6.6.6, for=\";";for="{node}";proto=https"#)
}

proptest! {
    #[test]
    fn prop_the_client_is_found_whatever_stands_left_of_it(
        forged in vec("[ -~]{0,12}", 0..4),
        client in stranger(),
        port in any::<Option<u16>>(),
        proxies in vec(proxy(), 0..6),
        peer in proxy(),
        breaks in vec(any::<bool>(), 10),
    ) {
        let element = |name, address, port| match name {
            X_FORWARDED_FOR => with_port(address, port),
            _ => forwarded_element(address, port),
        };
        for name in [X_FORWARDED_FOR, "forwarded"] {
            let written = std::iter::once(element(name, client, port))
                .chain(proxies.iter().map(|proxy| element(name, *proxy, None)));
            let mut lines = vec!["unknown".to_owned()];
            for (element, is_new_line) in forged.iter().cloned().chain(written).zip(&breaks) {
                match lines.last_mut() {
                    Some(line) if !is_new_line => line.extend([",", &element]),
                    _ => lines.push(element),
                }
            }
            let address = match name {
                X_FORWARDED_FOR => behind_proxies(),
                _ => behind_proxies().with_forwarded(),
            };
            let fields: Vec<_> = lines.iter().map(|line| (name, line.as_str())).collect();
            let found = key(&address, &peer.to_string(), &fields);
            prop_assert_eq!(found, key_of(&client.to_string()), "{:?}", lines);
        }
    }
}
