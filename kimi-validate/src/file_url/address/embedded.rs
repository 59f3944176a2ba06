//! IPv4 addresses inside of IPv6 addresses, to which some router on the way may lead.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::range::in_v6;

/// The IPv4 address that is really meant, where the rest of the address says nothing but that: a
/// mapped one, which the kernel dials over IPv4, RFC 4291 §2.5.5.2, and one behind NAT64's well-known
/// prefix, RFC 6052 §2.1, which resolvers make up where there is no IPv4.
pub(super) fn meant(address: Ipv6Addr) -> Option<Ipv4Addr> {
    const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
    address.to_ipv4_mapped().or_else(|| in_v6(address, NAT64).then(|| bits(address, 96)))
}

/// The IPv4 addresses to which an address may lead besides being one of IPv6 itself. All of them are
/// to be harmless, whatever becomes of the address itself.
pub(super) fn inside(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let found = match address.segments() {
        // 6to4, RFC 3056 §2.
        [0x2002, ..] => [Some(bits(address, 16)), None, None, None],
        // Teredo, RFC 4380 §4: the server, and the client with its bits turned over.
        [0x2001, 0, ..] => [
            Some(bits(address, 32)),
            Some(Ipv4Addr::from_bits(!bits(address, 96).to_bits())),
            None,
            None,
        ],
        // NAT64 of a local prefix, RFC 8215. How long that is, only its network knows, RFC 6052
        // §2.2; where nothing is written, by one reading, there is 0.0.0.0/8.
        [0x64, 0xff9b, 1, ..] => {
            [bits(address, 96), around_u(address, 48), around_u(address, 56), bits(address, 72)]
                .map(|it| Some(it).filter(|it| it.octets()[0] != 0))
        }
        // ISATAP, RFC 5214 §6.1, in any network.
        [.., 0 | 0x200, 0x5efe, _, _] => [Some(bits(address, 96)), None, None, None],
        // Compatible, deprecated by RFC 4291 §2.5.5.1; `::` and `::1` are none.
        [0, 0, 0, 0, 0, 0, high, _] if high >= 0x100 => [Some(bits(address, 96)), None, None, None],
        _ => [None; 4],
    };
    found.into_iter().flatten()
}

/// The 32 bits after the first `at`.
fn bits(address: Ipv6Addr, at: u32) -> Ipv4Addr {
    let [.., a, b, c, d] = (address.to_bits() >> (96 - at)).to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

/// The 32 bits after the first `at`, less the 8 from bit 64 on, which RFC 6052 §2.2 leaves out.
fn around_u(address: Ipv6Addr, at: u32) -> Ipv4Addr {
    let [.., a, b, c, d, e] = (address.to_bits() >> (88 - at)).to_be_bytes();
    let all = [a, b, c, d, e];
    let before = (64 - at) / 8;
    let mut kept = (0..).zip(all).filter(|(index, _)| *index != before).map(|(_, byte)| byte);
    let mut next = || kept.next().unwrap_or_default();
    Ipv4Addr::new(next(), next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedding_is_unwrapped() {
        for (address, expected) in [
            ("2002:7f00:1::", &["127.0.0.1"][..]),
            ("2001:0:0a00:1:8000:63bf:80ff:fffe", &["10.0.0.1", "127.0.0.1"]),
            ("2a00::5efe:10.0.0.1", &["10.0.0.1"]),
            ("2a00::200:5efe:10.0.0.1", &["10.0.0.1"]),
            ("::10.0.0.1", &["10.0.0.1"]),
            // The examples of RFC 6052 §2.4, by prefixes of 48, 56, 64 and 96 bits.
            ("64:ff9b:1:c000:2:2100::", &["192.0.2.33"]),
            ("64:ff9b:1:c0:0:221::", &["192.0.2.33"]),
            ("64:ff9b:1:0:c0:2:2100::", &["192.0.2.33"]),
            ("64:ff9b:1::192.0.2.33", &["192.0.2.33"]),
            ("::", &[]),
            ("::1", &[]),
            ("2a00::1", &[]),
        ] {
            let found: Vec<_> = inside(address.parse().unwrap()).map(|it| it.to_string()).collect();
            for expected in expected {
                assert!(found.iter().any(|it| it == expected), "{address}: {found:?}");
            }
            assert_eq!(found.is_empty(), expected.is_empty(), "{address}: {found:?}");
        }
    }

    #[test]
    fn what_is_nothing_but_ipv4_is_meant() {
        for (address, expected) in [
            ("::ffff:8.8.8.8", Some("8.8.8.8")),
            ("64:ff9b::8.8.8.8", Some("8.8.8.8")),
            ("64:ff9b::1:8.8.8.8", None),
            ("64:ff9b:1::8.8.8.8", None),
            ("::8.8.8.8", None),
        ] {
            let found = meant(address.parse().unwrap()).map(|it| it.to_string());
            assert_eq!(found.as_deref(), expected, "{address}");
        }
    }
}
