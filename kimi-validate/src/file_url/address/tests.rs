use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{embedded, judge, table};
use crate::file_url::{IpRange, Reason, UrlPolicy};

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
    let is_in = |rows: &[(Ipv6Addr, u8)], bits| {
        rows.iter().any(|row| super::in_v6(Ipv6Addr::from_bits(bits), *row))
    };
    for (rows, others, expected) in
        [(table::V6, table::V6_GIVEN, false), (table::V6_GIVEN, table::V6, true)]
    {
        for row in rows {
            let (first, last) = (row.0.to_bits(), last_v6(*row).to_bits());
            assert!(u32::from(row.1) + first.trailing_zeros() >= 128, "bits behind {row:?}");
            // 2001:3c00::/22 is the end of a row.
            for bits in [first, last].into_iter().filter(|it| !expected || !is_in(others, *it)) {
                assert_eq!(public(bits), expected, "{row:?}");
            }
            for bits in [first - 1, last + 1] {
                assert_eq!(public(bits), is_in(table::V6_GIVEN, bits) && !is_in(table::V6, bits));
            }
        }
    }
}

/// The registry's rows, one by one, in the order in which it has them: what is public is what a
/// registry has, by /23 where it gave these, and by /16 elsewhere.
#[test]
fn of_ipv6_only_what_regional_registries_have_is_public() {
    let given = [
        "2001:200::/23",
        "2001:400::/23",
        "2001:600::/23",
        "2001:800::/22",
        "2001:c00::/23",
        "2001:e00::/23",
        "2001:1200::/23",
        "2001:1400::/22",
        "2001:1800::/23",
        "2001:1a00::/23",
        "2001:1c00::/22",
        "2001:2000::/20",
        "2001:3000::/21",
        "2001:3800::/22",
        "2001:4000::/23",
        "2001:4200::/23",
        "2001:4400::/23",
        "2001:4600::/23",
        "2001:4800::/23",
        "2001:4a00::/23",
        "2001:4c00::/23",
        "2001:5000::/20",
        "2001:8000::/19",
        "2001:a000::/20",
        "2001:b000::/20",
        "2003::/18",
        "2400::/12",
        "2410::/12",
        "2600::/12",
        "2610::/23",
        "2620::/23",
        "2630::/12",
        "2800::/12",
        "2a00::/12",
        "2a10::/12",
        "2c00::/12",
    ];
    let given = given.map(|it| it.parse::<IpRange>().unwrap());
    for high in 0..=u16::MAX {
        let step = if matches!(high, 0x2001 | 0x2003 | 0x2610 | 0x2620) { 0x200 } else { 0x1_0000 };
        for low in (0..0x1_0000_u32).step_by(step) {
            let low = u16::try_from(low).unwrap();
            let address = Ipv6Addr::new(high, low, 0xfff0, 0, 0, 0, 0, 0x77);
            let expected = given.iter().any(|range| range.contains(address.into()));
            assert_eq!(verdict(address).is_ok(), expected, "{address}");
        }
    }
}

#[test]
fn what_is_behind_a_prefix_of_nat64_is_judged_by_it_alone() {
    let prefixes = ["2a00:64::/32", "fd64::/96", "2a00:66::/40", "2a00:66::/48"];
    let policy = UrlPolicy::new()
        .with_nat64_prefixes(prefixes.map(|it| it.parse().unwrap()))
        .unwrap()
        .with_denied_ranges(["9.9.9.0/24", "fd64::1.1.1.0/120"].map(|it| it.parse().unwrap()));
    for (address, expected) in [
        ("2a00:64:808:808::", Ok(())),
        ("2a00:64:a00:1::", Err(Reason::Address)),
        ("2a00:64:a9fe:a9fe::1", Err(Reason::Metadata)),
        ("2a00:64:909:909::1", Err(Reason::HostDenied)),
        ("fd64::8.8.8.8", Ok(())),
        ("fd64::10.0.0.1", Err(Reason::Address)),
        ("fd64::9.9.9.9", Err(Reason::HostDenied)),
        ("fd64::1.1.1.1", Err(Reason::HostDenied)),
        // Under the longer of two it is 10.0.0.1, under the shorter 0.10.0.1.
        ("2a00:66:0:a00:0:100::", Err(Reason::Address)),
        // Under no prefix.
        ("2a00:65:a00:1::", Ok(())),
        ("fd64:0:0:1::8.8.8.8", Err(Reason::Address)),
    ] {
        assert_eq!(judge(address.parse().unwrap(), &policy), expected, "{address}");
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
        // Reserved, and 6to4, whatever is in it.
        "2001:3c00::1",
        "2002:808:808::1",
        // Given to nobody yet.
        "2000::1",
        "2001:1000::1",
        "2001:6000::1",
        "2001:c000::1",
        "2003:4000::1",
        "2100::1",
        "2200::1",
        "2420::1",
        "2500::1",
        "2640::1",
        "2700::1",
        "2900::1",
        "2a20::1",
        "2b00::1",
        "2c10::1",
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
        // As if 6to4 were no range of its own.
        ("2002:a01:203::1", false),
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
