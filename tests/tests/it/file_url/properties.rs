//! What holds of every URL.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kimi_validate::file_url::{FileUrl, Reason, RemoteUrl, UrlPolicy, judge};
use proptest::prelude::*;

/// A part of an IPv4 address, as C's `inet_aton` takes it.
fn number() -> impl Strategy<Value = fn(u32) -> String> {
    prop_oneof![
        Just((|it| it.to_string()) as fn(u32) -> String),
        Just((|it| format!("0{it:o}")) as fn(u32) -> String),
        Just((|it| format!("000{it:o}")) as fn(u32) -> String),
        Just((|it| format!("0x{it:x}")) as fn(u32) -> String),
        Just((|it| format!("0X{it:08X}")) as fn(u32) -> String),
    ]
}

/// An address in one of the forms that WHATWG reads: one to four parts, each in a base of its own.
fn literal() -> impl Strategy<Value = (Ipv4Addr, String)> {
    let parts = prop::collection::vec(number(), 1..=4);
    let bits = prop_oneof![any::<u32>(), special()];
    (bits, parts, 0..4_usize).prop_map(|(bits, forms, dressing)| {
        let octets = bits.to_be_bytes();
        let last = forms.len() - 1;
        let mut parts: Vec<u32> = octets[..last].iter().map(|it| (*it).into()).collect();
        parts.push(octets[last..].iter().fold(0, |all, it| all << 8 | u32::from(*it)));
        let written: Vec<_> = parts.iter().zip(forms).map(|(part, form)| form(*part)).collect();
        let plain = written.join(".");
        let text = match dressing {
            0 => plain,
            1 => plain.replace('.', "。"),
            2 => plain.chars().map(wide).collect(),
            _ => plain.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        };
        (Ipv4Addr::from_bits(bits), text)
    })
}

/// Addresses that are not public, so that not all are left to chance.
fn special() -> impl Strategy<Value = u32> {
    let bases = [0x7f00_0000, 0x0a00_0000, 0xa9fe_a900, 0xc0a8_0000, 0xac10_0000, 0x6440_0000, 0];
    (prop::sample::select(bases.to_vec()), any::<u16>())
        .prop_map(|(base, low)| base | u32::from(low))
}

/// The full-width form of a character.
fn wide(character: char) -> char {
    char::from_u32(u32::from(character) + 0xfee0).unwrap()
}

/// Texts near to being URLs.
fn anything() -> impl Strategy<Value = String> {
    let scheme =
        prop_oneof![Just("http://"), Just("https://"), Just("http:/"), Just("HTTP://"), Just("")];
    let middle = "([a-z0-9.]|[-a-zA-Z0-9.:@/\\\\?#%\\[\\]_ \t]|\\PC){0,24}";
    (scheme, middle, "[/?#]?\\PC{0,8}").prop_map(|(a, b, c)| [a, &b, &c].concat())
}

proptest! {
    #[test]
    fn prop_every_special_address_is_refused_in_every_form((address, text) in literal()) {
        let policy = UrlPolicy::new();
        let found = FileUrl::parse(&format!("http://{text}/"), &policy);
        match judge(address.into(), &policy) {
            Err(reason) => prop_assert_eq!(found.unwrap_err(), reason, "{} {}", text, address),
            Ok(()) if text == address.to_string() => prop_assert!(found.is_ok()),
            Ok(()) => prop_assert_eq!(found.unwrap_err(), Reason::HostForm, "{} {}", text, address),
        }
    }

    #[test]
    fn prop_every_special_address_of_ipv6_is_refused(bits: u128, low in special(), prefix in 0..6_usize) {
        let wrapped = [0, 0xffff << 32, 0x64_ff9b << 96, 0x2002 << 112, 0xfd00 << 112, 0xfe80 << 112];
        for address in [Ipv6Addr::from_bits(bits), Ipv6Addr::from_bits(wrapped[prefix] | u128::from(low))] {
            let found = FileUrl::parse(&format!("http://[{address}]/"), &UrlPolicy::new());
            prop_assert_eq!(found.err(), judge(address.into(), &UrlPolicy::new()).err());
        }
    }

    #[test]
    fn prop_what_is_let_through_is_read_alike_by_all(text in anything()) {
        let policy = UrlPolicy::new().with_unprivileged_ports();
        let Ok(url) = RemoteUrl::parse(&text, &policy) else {
            return Ok(());
        };
        let again = RemoteUrl::parse(url.as_str(), &policy);
        prop_assert_eq!(Ok(&url), again.as_ref());
        let uri: http::Uri = url.as_str().parse().unwrap();
        prop_assert_eq!(uri.host(), Some(url.host()));
        prop_assert!(!url.as_str().contains(['@', ' ', '\\', '#']) || url.as_url().username().is_empty());
        if let Some(address) = url.address() {
            prop_assert_eq!(judge(address, &policy), Ok(()));
        } else {
            prop_assert!(url.host().contains('.') && url.host().parse::<IpAddr>().is_err());
        }
        // The host that is dialed stands in the text, or its international form does.
        let is_there = text.to_ascii_lowercase().contains(url.host());
        prop_assert!(is_there || url.host().contains("xn--") || url.address().is_some_and(|it| it.is_ipv6()));
    }

    #[test]
    fn prop_no_refusal_quotes_the_url(secret in "[a-z]{12}") {
        let policy = UrlPolicy::new();
        for url in [
            format!("http://{secret}:{secret}@example.com/"),
            format!("http://127.0.0.1/{secret}?{secret}#{secret}"),
            format!("{secret}://{secret}"),
        ] {
            let reason = FileUrl::parse(&url, &policy).unwrap_err();
            let error = reason.into_error(kimi_errors::Lang::En);
            let shown = format!("{reason} {reason:?} {error} {error:?} {:?}", error.data());
            prop_assert!(!shown.contains(&secret), "{}", shown);
        }
    }
}
