use std::{
    error::Error as StdError,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// Addresses that begin with the same bits, written `10.1.0.0/16` or `fd12::/16`; a plain address is
/// a range of one.
///
/// ```
/// use kimi_validate::file_url::IpRange;
///
/// let range: IpRange = "10.1.0.0/16".parse()?;
/// assert!(range.contains("10.1.2.3".parse()?));
/// assert!("10.1.2.3/16".parse::<IpRange>().is_err(), "bits behind the prefix");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct IpRange {
    base: IpAddr,
    prefix: u8,
}

impl IpRange {
    /// Returns whether the address is in the range. One of IPv6 never is in one of IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => in_v4(address, (base, self.prefix)),
            (IpAddr::V6(base), IpAddr::V6(address)) => in_v6(address, (base, self.prefix)),
            _ => false,
        }
    }

    pub(super) const fn base(&self) -> IpAddr {
        self.base
    }

    pub(super) const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Returns the range of IPv4 that one of mapped addresses, RFC 4291 §2.5.5.2, stands for; any
    /// other is itself.
    pub(in crate::file_url) fn unmapped(self) -> Self {
        match (self.base.to_canonical(), self.prefix.checked_sub(96)) {
            (base @ IpAddr::V4(_), Some(prefix)) if self.base.is_ipv6() => Self { base, prefix },
            _ => self,
        }
    }

    /// Returns whether it is the range of this one address.
    pub(in crate::file_url) fn is_only(&self, address: IpAddr) -> bool {
        let full = if self.base.is_ipv4() { 32 } else { 128 };
        self.prefix == full && self.base == address
    }
}

pub(super) fn in_v4(address: Ipv4Addr, (base, prefix): (Ipv4Addr, u8)) -> bool {
    // A shift by all bits is none: a prefix of 0 has everything in it.
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    address.to_bits() & mask == base.to_bits()
}

pub(super) fn in_v6(address: Ipv6Addr, (base, prefix): (Ipv6Addr, u8)) -> bool {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    address.to_bits() & mask == base.to_bits()
}

impl From<IpAddr> for IpRange {
    fn from(base: IpAddr) -> Self {
        Self { base, prefix: if base.is_ipv4() { 32 } else { 128 } }
    }
}

impl FromStr for IpRange {
    type Err = InvalidRange;

    /// Reads an address, and a prefix of plain digits if there is one.
    fn from_str(text: &str) -> Result<Self, InvalidRange> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text, None),
        };
        let mut range = Self::from(base.parse::<IpAddr>().map_err(|_| InvalidRange)?);
        if let Some(prefix) = prefix {
            let is_plain = prefix.bytes().all(|byte| byte.is_ascii_digit());
            let prefix = prefix.parse().ok().filter(|it| is_plain && *it <= range.prefix);
            range.prefix = prefix.ok_or(InvalidRange)?;
        }
        // Bits behind the prefix are a slip of whoever wrote it, and nothing would be in the range.
        range.contains(range.base).then_some(range).ok_or(InvalidRange)
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// A text that is no [`IpRange`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InvalidRange;

impl fmt::Display for InvalidRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a range of addresses such as 10.1.0.0/16")
    }
}

impl StdError for InvalidRange {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_an_address_and_a_prefix() {
        for (text, within, without) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.1/32", "127.0.0.1", "127.0.0.0"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("::/0", "ffff::", "0.0.0.0"),
            ("fd00::/8", "fdff::1", "fe00::"),
            ("::1", "::1", "::2"),
        ] {
            let range: IpRange = text.parse().unwrap();
            assert!(range.contains(within.parse().unwrap()), "{text}");
            assert!(!range.contains(without.parse().unwrap()), "{text}");
            assert_eq!(range.to_string().parse(), Ok(range));
        }
    }

    #[test]
    fn anything_else_is_no_range() {
        for text in [
            "",
            "/",
            "10",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.1/8",
            "::/129",
            "fe80::1%eth0",
            "010.0.0.0/8",
            "10.0.0.0/8/8",
            " 10.0.0.0/8",
            "localhost",
            "fd00::1/8",
        ] {
            assert_eq!(text.parse::<IpRange>(), Err(InvalidRange), "{text}");
        }
    }
}
