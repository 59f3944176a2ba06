//! IPv4 addresses inside of IPv6 addresses, to which some router on the way may lead.

use std::{
    error::Error as StdError,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{IpRange, range::in_v6};

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

/// The prefix under which a network's own NAT64 leads to IPv4, RFC 6052 §2.2.
#[derive(Clone, Copy, Debug)]
pub(in crate::file_url) struct Nat64 {
    base: Ipv6Addr,
    prefix: u8,
}

impl Nat64 {
    pub(in crate::file_url) fn of(range: IpRange) -> Result<Self, InvalidPrefix> {
        match (range.base(), range.prefix()) {
            (IpAddr::V6(base), prefix @ (32 | 40 | 48 | 56 | 64 | 96)) => Ok(Self { base, prefix }),
            _ => Err(InvalidPrefix),
        }
    }

    /// The IPv4 address that is meant, if the prefix is this. The bits around it are for nobody.
    pub(in crate::file_url) fn meant(self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        in_v6(address, (self.base, self.prefix)).then(|| match self.prefix {
            32 | 96 => bits(address, self.prefix.into()),
            64 => bits(address, 72),
            prefix => around_u(address, prefix.into()),
        })
    }
}

/// A range that is no prefix of NAT64.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InvalidPrefix;

impl fmt::Display for InvalidPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a prefix of IPv6 with 32, 40, 48, 56, 64 or 96 bits")
    }
}

impl StdError for InvalidPrefix {}

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

    /// The examples of RFC 6052 §2.4, and no other length.
    #[test]
    fn a_prefix_of_nat64_has_one_of_six_lengths() {
        for (prefix, address) in [
            ("2001:db8::/32", "2001:db8:c000:221::"),
            ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
            ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
        ] {
            let nat64 = Nat64::of(prefix.parse().unwrap()).unwrap();
            let meant = nat64.meant(address.parse().unwrap());
            assert_eq!(meant, Some(Ipv4Addr::new(192, 0, 2, 33)), "{prefix}");
            assert_eq!(nat64.meant("2001:db9::1".parse().unwrap()), None);
        }
        for bits in (0..=128).filter(|bits| ![32, 40, 48, 56, 64, 96].contains(bits)) {
            assert!(Nat64::of(format!("::/{bits}").parse().unwrap()).is_err(), "{bits}");
        }
        assert!(Nat64::of("10.0.0.0/32".parse().unwrap()).is_err());
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
