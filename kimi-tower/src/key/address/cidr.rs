//! Networks of addresses.

use std::{error::Error as StdError, fmt, net::IpAddr, str::FromStr};

/// A network of addresses, such as that of the trusted proxies.
///
/// ```text
/// 10.0.0.0/8      fd00::/8      192.0.2.1 (the one address)
/// ```
///
/// IPv4 and IPv6 are apart: `::/0` contains no IPv4 address. An IPv4-mapped address or network is
/// the IPv4 one: `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
///
/// ```
/// use kimi_tower::key::{Cidr, CidrError};
///
/// let network: Cidr = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?) && network.contains("::ffff:10.1.2.3".parse()?));
/// assert!(!network.contains("11.0.0.0".parse()?));
/// assert_eq!("10.0.0.1/8".parse::<Cidr>(), Err(CidrError::HostBits));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Creates the network of all addresses whose first `prefix` bits are those of `network`: 0 to
    /// 32 for IPv4, 0 to 128 for IPv6.
    ///
    /// # Errors
    ///
    /// [`Prefix`](CidrError::Prefix) if there are not so many bits, [`HostBits`](CidrError::HostBits)
    /// if any bit after them is set.
    pub fn try_new(network: IpAddr, prefix: u8) -> Result<Self, CidrError> {
        let canonical = network.to_canonical();
        let prefix = match (network, canonical) {
            // A shorter prefix takes in more than the mapped addresses, and then has host bits set.
            (IpAddr::V6(_), IpAddr::V4(_)) if prefix < 96 => return Err(CidrError::HostBits),
            (IpAddr::V6(_), IpAddr::V4(_)) => prefix - 96,
            _ => prefix,
        };
        if prefix > width(canonical) {
            return Err(CidrError::Prefix);
        }
        if cut(canonical, prefix) != canonical {
            return Err(CidrError::HostBits);
        }
        Ok(Self { network: canonical, prefix })
    }

    /// Returns whether the address is in the network. An IPv4-mapped one is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        // Nothing is longer than the address: `network` is of the same family, or not equal.
        cut(address, self.prefix) == self.network
    }
}

impl From<IpAddr> for Cidr {
    /// Returns the network of this one address.
    fn from(address: IpAddr) -> Self {
        let network = address.to_canonical();
        Self { network, prefix: width(network) }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| CidrError::Address)?;
        match prefix {
            // Digits alone, where `u8` would take a sign as well.
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                Self::try_new(address, prefix.parse().map_err(|_| CidrError::Prefix)?)
            }
            Some(_) => Err(CidrError::Prefix),
            None => Ok(address.into()),
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// Why there is no such network, or prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CidrError {
    /// What stands before the slash is no address.
    Address,
    /// The prefix is no number, or not one that is allowed there.
    Prefix,
    /// The address has bits after the prefix: it is not clear which network is meant.
    HostBits,
}

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "not an IP address",
            Self::Prefix => "the prefix is no number of bits that is allowed",
            Self::HostBits => "bits after the prefix are set",
        })
    }
}

impl StdError for CidrError {}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Returns the address with all but its first `prefix` bits cleared; with a longer prefix than it
/// has bits, as it is.
pub(super) fn cut(address: IpAddr, prefix: u8) -> IpAddr {
    let host_bits = u32::from(width(address).saturating_sub(prefix));
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_networks_and_addresses() {
        let table: &[(&str, Result<&str, CidrError>)] = &[
            ("10.0.0.0/8", Ok("10.0.0.0/8")),
            ("0.0.0.0/0", Ok("0.0.0.0/0")),
            ("192.0.2.1", Ok("192.0.2.1/32")),
            ("::1", Ok("::1/128")),
            ("::1/128", Ok("::1/128")),
            ("2001:DB8::/32", Ok("2001:db8::/32")),
            ("::/0", Ok("::/0")),
            ("::ffff:10.0.0.0/104", Ok("10.0.0.0/8")),
            ("::ffff:192.0.2.1", Ok("192.0.2.1/32")),
            ("::ffff:0.0.0.0/95", Err(CidrError::HostBits)),
            ("10.0.0.1/8", Err(CidrError::HostBits)),
            ("::1/127", Err(CidrError::HostBits)),
            ("10.0.0.0/33", Err(CidrError::Prefix)),
            ("::/129", Err(CidrError::Prefix)),
            ("::ffff:10.0.0.0/129", Err(CidrError::Prefix)),
            ("10.0.0.0/", Err(CidrError::Prefix)),
            ("10.0.0.0/+8", Err(CidrError::Prefix)),
            ("10.0.0.0/264", Err(CidrError::Prefix)),
            ("10.0.0.0/8/8", Err(CidrError::Prefix)),
            ("10.0.0/8", Err(CidrError::Address)),
            ("010.0.0.0/8", Err(CidrError::Address)),
            (" 10.0.0.0/8", Err(CidrError::Address)),
            ("localhost", Err(CidrError::Address)),
            ("", Err(CidrError::Address)),
        ];
        for (text, expected) in table {
            let network = text.parse::<Cidr>().map(|network| network.to_string());
            assert_eq!(network.as_deref().map_err(|error| *error), *expected, "{text:?}");
        }
    }

    #[test]
    fn the_families_are_apart() {
        let contains = |network: &str, address: &str| {
            network.parse::<Cidr>().unwrap().contains(address.parse().unwrap())
        };
        assert!(contains("::/0", "2001:db8::1") && contains("0.0.0.0/0", "192.0.2.1"));
        assert!(!contains("::/0", "192.0.2.1") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(!contains("::/0", "::ffff:192.0.2.1") && contains("0.0.0.0/0", "::ffff:192.0.2.1"));
    }

    proptest! {
        #[test]
        fn prop_a_network_contains_what_begins_as_it_does(
            network in any::<u128>(),
            flipped in 0..128_u32,
            prefix in 0..=128_u8,
        ) {
            // Not within the mapped addresses.
            let network = IpAddr::V6((network | 1 << 127).into());
            let cidr = Cidr::try_new(cut(network, prefix), prefix).unwrap();
            prop_assert!(cidr.contains(network));
            prop_assert_eq!(cidr.to_string().parse::<Cidr>(), Ok(cidr));
            let IpAddr::V6(bits) = network else { unreachable!() };
            let other = IpAddr::V6((bits.to_bits() ^ 1 << (127 - flipped)).into());
            prop_assert_eq!(cidr.contains(other), flipped >= u32::from(prefix));
        }

        #[test]
        fn prop_so_does_one_of_ipv4(
            network in any::<u32>(),
            flipped in 0..32_u32,
            prefix in 0..=32_u8,
        ) {
            let cidr = Cidr::try_new(cut(IpAddr::V4(network.into()), prefix), prefix).unwrap();
            prop_assert!(cidr.contains(IpAddr::V4(network.into())));
            prop_assert_eq!(cidr.to_string().parse::<Cidr>(), Ok(cidr));
            let other = IpAddr::V4((network ^ 1 << (31 - flipped)).into());
            prop_assert_eq!(cidr.contains(other), flipped >= u32::from(prefix));
        }
    }
}
