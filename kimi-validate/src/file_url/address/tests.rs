use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{embedded, judge, table};
use crate::file_url::{Reason, UrlPolicy};

fn verdict(address: impl Into<IpAddr>) -> Result<(), Reason> {
    judge(address.into(), &UrlPolicy::new())
}

/// The last address of a range.
fn last_v6((base, prefix): (Ipv6Addr, u8)) -> Ipv6Addr {
    Ipv6Addr::from_bits(base.to_bits() | u128::MAX.checked_shr(prefix.into()).unwrap_or(0))
}

#[test]
fn a_range_of_ipv4_begins_and_ends_where_its_row_says() {
    let public = |bits| verdict(Ipv4Addr::from_bits(bits)).is_ok();
    // Neighbors are public, but where another row begins.
    let edges = [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.31.196.0", "192.31.196.255"),
        ("192.52.193.0", "192.52.193.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("192.175.48.0", "192.175.48.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "255.255.255.255"),
    ];
    for (first, last) in edges {
        let [first, last] = [first, last].map(|it| it.parse::<Ipv4Addr>().unwrap().to_bits());
        assert!(!public(first) && !public(last) && !public(first + (last - first) / 2));
        assert!(first == 0 || public(first - 1), "{}", Ipv4Addr::from_bits(first));
        assert!(last == u32::MAX || public(last + 1), "{}", Ipv4Addr::from_bits(last));
    }
    // And there is no other row than those above: each has its edge.
    for row in table::V4 {
        let is_known = edges.iter().any(|(first, _)| *first == row.0.to_string())
            || row.0 == Ipv4Addr::new(240, 0, 0, 0);
        assert!(is_known, "{}", row.0);
        assert!(u32::from(row.1) + row.0.to_bits().trailing_zeros() >= 32, "bits behind {row:?}");
    }
}

/// Every /16 there is, and every /24 of those that a row is in, against rules written down otherwise:
/// by numbers and by the standard library.
#[test]
fn every_block_of_ipv4_is_judged_as_the_standard_library_knows_it() {
    for high in 0..=u16::MAX {
        let has_rows = matches!(high >> 8, 192 | 198 | 203);
        for low in 0..=if has_rows { u8::MAX } else { 0 } {
            let [a, b] = high.to_be_bytes();
            is_judged_as_known(Ipv4Addr::new(a, b, low, 77));
        }
    }
}

fn is_judged_as_known(address: Ipv4Addr) {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || matches!((a, b, c), (192, 0, 0) | (192, 31, 196) | (192, 52, 193))
        || matches!((a, b, c), (192, 88, 99) | (192, 175, 48));
    assert_eq!(verdict(address).is_err(), is_special, "{address}");
}

#[test]
fn a_range_of_ipv6_begins_and_ends_where_its_row_says() {
    let public = |bits| verdict(Ipv6Addr::from_bits(bits)).is_ok();
    for row in table::V6 {
        let (first, last) = (row.0.to_bits(), last_v6(*row).to_bits());
        assert!(u32::from(row.1) + first.trailing_zeros() >= 128, "bits behind {row:?}");
        assert!(!public(first) && !public(last), "{row:?}");
        // 2d00::/8, 2e00::/7 and 3000::/4 follow one another, and so do 2001::/23 and the beginning.
        let is_inner =
            |bits| table::V6.iter().any(|other| super::in_v6(Ipv6Addr::from_bits(bits), *other));
        assert!(public(first - 1) || is_inner(first - 1), "{row:?}");
        let next = Ipv6Addr::from_bits(last + 1);
        assert!(public(last + 1) || is_inner(last + 1) || next.segments()[0] == 0x4000, "{row:?}");
    }
    assert!(!public(table::V6_GLOBAL.0.to_bits() - 1));
    assert!(public(table::V6_GLOBAL.0.to_bits()));
}

/// Every /16 there is: what is public begins with what IANA gives to regional registries.
#[test]
fn of_ipv6_only_what_regional_registries_have_is_public() {
    for high in 0..=u16::MAX {
        let address = Ipv6Addr::new(high, 0xfff0, 0, 0, 0, 0, 0, 0x77);
        let expected = (0x2000..0x2d00).contains(&high) && high != 0x2002;
        assert_eq!(verdict(address).is_ok(), expected, "{address}");
    }
}

#[test]
fn special_addresses_of_ipv6_are_refused() {
    for address in [
        "::",
        "::1",
        "::2",
        "::ffff",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "100:0:0:1::1",
        "2001::1",
        "2001:1::1",
        "2001:2::1",
        "2001:3::1",
        "2001:4:112::1",
        "2001:10::1",
        "2001:20::1",
        "2001:30::1",
        "2001:db8::1",
        "2620:4f:8000::1",
        "3ffe::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
    ] {
        assert_eq!(
            verdict(address.parse::<Ipv6Addr>().unwrap()),
            Err(Reason::Address),
            "{address}"
        );
    }
    for address in ["2001:200::1", "2400:3200::1", "2606:4700:4700::1111", "2a00:1450:4001::200e"] {
        assert_eq!(verdict(address.parse::<Ipv6Addr>().unwrap()), Ok(()), "{address}");
    }
}

#[test]
fn metadata_has_a_reason_of_its_own_and_takes_a_range_of_its_own() {
    let v4 = table::METADATA_V4.iter().map(|it| IpAddr::V4(*it));
    let v6 = table::METADATA_V6.iter().map(|it| IpAddr::V6(*it));
    let all = ["0.0.0.0/0", "::/0"].map(|it| it.parse().unwrap());
    for address in v4.chain(v6) {
        assert_eq!(verdict(address), Err(Reason::Metadata), "{address}");
        let wide = UrlPolicy::new().with_allowed_ranges(all);
        assert_eq!(judge(address, &wide), Err(Reason::Metadata), "{address}");
        let narrow = UrlPolicy::new().with_allowed_ranges([address.into()]);
        assert_eq!(judge(address, &narrow), Ok(()), "{address}");
    }
}

#[test]
fn an_allowed_range_opens_itself_and_what_leads_there() {
    let policy = UrlPolicy::new()
        .with_allowed_ranges(["10.1.0.0/16", "fd12::/16"].map(|it| it.parse().unwrap()));
    for (address, expected) in [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("64:ff9b::10.1.2.3", true),
        ("2002:a01:203::1", true),
        ("fd12::1", true),
        ("10.2.0.1", false),
        ("::ffff:10.2.0.1", false),
        ("fd13::1", false),
        ("127.0.0.1", false),
        // Allowed by itself, but not what an ISATAP router makes of it.
        ("fd12::5efe:10.2.0.1", false),
        ("fd12::5efe:10.1.0.1", true),
    ] {
        assert_eq!(judge(address.parse().unwrap(), &policy).is_ok(), expected, "{address}");
    }
}

#[test]
fn a_denied_address_is_refused_in_every_wrapping_and_before_all_else() {
    let ranges =
        ["8.8.0.0/16", "10.1.2.0/24", "::ffff:9.9.9.0/120", "2a00:1::/32", "64:ff9b::101:0/112"];
    let policy = UrlPolicy::new()
        .with_denied_hosts(["1.2.3.4", "[2a00:2::2]", "::ffff:1.2.3.5"])
        .unwrap()
        .with_denied_ranges(ranges.map(|it| it.parse().unwrap()))
        .with_allowed_ranges(["10.0.0.0/8", "8.8.8.8"].map(|it| it.parse().unwrap()));
    for address in [
        "8.8.8.8",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2001:0:808:808::1",
        "2a00:3::5efe:8.8.8.8",
        "10.1.2.3",
        "9.9.9.9",
        "1.2.3.4",
        "::ffff:1.2.3.4",
        "64:ff9b::1.2.3.5",
        "2a00:1::1",
        "2a00:2::2",
        "64:ff9b::1.1.0.1",
    ] {
        assert_eq!(judge(address.parse().unwrap(), &policy), Err(Reason::HostDenied), "{address}");
    }
    for address in ["8.9.8.8", "10.1.3.3", "9.9.8.9", "1.2.3.6", "2a00:2::3", "1.1.0.1"] {
        assert_eq!(judge(address.parse().unwrap(), &policy), Ok(()), "{address}");
    }
    // All of IPv6 is not all of IPv4.
    let policy = UrlPolicy::new().with_denied_ranges(["::/0".parse().unwrap()]);
    assert_eq!(judge([8, 8, 8, 8].into(), &policy), Ok(()));
    assert_eq!(judge("2a00::1".parse().unwrap(), &policy), Err(Reason::HostDenied));
}

proptest! {
    #[test]
    fn prop_what_is_refused_is_refused_in_every_wrapping(bits: u32, prefix: u64, host: u16) {
        let address = Ipv4Addr::from_bits(bits);
        let (high, low) = ((bits >> 16) as u16, (bits & 0xffff) as u16);
        let reason = verdict(address);
        let mapped = address.to_ipv6_mapped();
        let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
        prop_assert_eq!(verdict(mapped), reason);
        prop_assert_eq!(verdict(nat64), reason);
        let network = u128::from(prefix) << 64 | 0x5efe << 32 | u128::from(bits);
        let wrapped = [
            Ipv6Addr::new(0x2002, high, low, host, 0, 0, 0, host),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, host, host),
            Ipv6Addr::new(0x2001, 0, 0x808, 0x808, 0, 0, !high, !low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::from_bits(network),
            address.to_ipv6_compatible(),
        ];
        for wrapped in wrapped {
            prop_assert!(reason.is_ok() || verdict(wrapped).is_err(), "{}", wrapped);
        }
    }

    #[test]
    fn prop_public_ipv6_is_global_unicast_and_leads_nowhere_else(bits: u128) {
        let address = Ipv6Addr::from_bits(bits);
        if verdict(address).is_ok() && embedded::meant(address).is_none() {
            prop_assert_eq!(address.segments()[0] >> 13, 1);
            prop_assert!(embedded::inside(address).all(|inside| verdict(inside).is_ok()));
        }
    }
}
