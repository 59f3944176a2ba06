//! Whether an address is a public host's.

mod embedded;
mod range;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    embedded::InvalidPrefix,
    range::{InvalidRange, IpRange},
};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) use self::embedded::Nat64;
use self::range::{in_v4, in_v6};
use super::{Reason, UrlPolicy};

/// Judges an address, whether it stands in a URL or a name was resolved to it. It is the same check
/// that `connect` asks before it dials.
///
/// IPv4 is public but for IANA's special-purpose ranges and multicast; IPv6 is not, but for what IANA
/// has given to regional registries, less its special parts. An address of IPv6 that carries one of
/// IPv4 is refused if either is; where it is nothing but that, mapped or behind a
/// [prefix of NAT64](UrlPolicy::with_nat64_prefixes), by the one of IPv4 alone. What the policy [denies](UrlPolicy::with_denied_ranges) is refused before
/// anything else is looked at, and in every wrapping.
///
/// ```
/// use kimi_validate::file_url::{Reason, UrlPolicy, judge};
///
/// let policy = UrlPolicy::new();
/// assert_eq!(judge("8.8.8.8".parse()?, &policy), Ok(()));
/// assert_eq!(judge("10.0.0.1".parse()?, &policy), Err(Reason::Address));
/// assert_eq!(judge("64:ff9b::a00:1".parse()?, &policy), Err(Reason::Address));
/// assert_eq!(judge("169.254.169.254".parse()?, &policy), Err(Reason::Metadata));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
///
/// # Errors
///
/// [`Reason::HostDenied`], [`Reason::Metadata`] or [`Reason::Address`].
pub fn judge(address: IpAddr, policy: &UrlPolicy) -> Result<(), Reason> {
    match address {
        IpAddr::V4(address) => judge_v4(address, policy),
        // By itself too: a range of those that only wrap one of IPv4 may be denied.
        IpAddr::V6(address) if policy.denies_address(address.into()) => Err(Reason::HostDenied),
        IpAddr::V6(address) => match embedded::meant(address) {
            Some(meant) => judge_v4(meant, policy),
            None => policy
                .behind_nat64(address)
                .map(|meant| judge_v4(meant, policy))
                // Of two prefixes, one in the other, nobody knows which it is: both.
                .reduce(Result::and)
                .unwrap_or_else(|| judge_v6(address, policy)),
        },
    }
}

fn judge_v4(address: Ipv4Addr, policy: &UrlPolicy) -> Result<(), Reason> {
    if policy.denies_address(address.into()) {
        return Err(Reason::HostDenied);
    }
    if table::METADATA_V4.contains(&address) {
        return metadata(address.into(), policy);
    }
    let is_special = table::V4.iter().any(|range| in_v4(address, *range));
    if is_special && !policy.allows_address(address.into()) {
        return Err(Reason::Address);
    }
    Ok(())
}

fn judge_v6(address: Ipv6Addr, policy: &UrlPolicy) -> Result<(), Reason> {
    if table::METADATA_V6.contains(&address) {
        return metadata(address.into(), policy);
    }
    // First, and also where the policy allows the address: it need not know what stands inside.
    embedded::inside(address).try_for_each(|inside| judge_v4(inside, policy))?;
    let is_in = |ranges: &[_]| ranges.iter().any(|range| in_v6(address, *range));
    let is_public = is_in(table::V6_GIVEN) && !is_in(table::V6);
    if !is_public && !policy.allows_address(address.into()) {
        return Err(Reason::Address);
    }
    Ok(())
}

/// Returns the address that is really dialed: that of IPv4 which one of IPv6 only wraps.
pub(super) fn unwrapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(wrapped) => embedded::meant(wrapped).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Who opens a range for an intranet does not mean the credentials that lie in the middle of it:
/// these take a range of their own.
fn metadata(address: IpAddr, policy: &UrlPolicy) -> Result<(), Reason> {
    if policy.allows_only(address) { Ok(()) } else { Err(Reason::Metadata) }
}
