//! What is asked of a policy.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::UrlPolicy;
use crate::file_url::{Reason, host::Host};

impl UrlPolicy {
    /// `is_https` of a scheme that is `http` or `https`.
    pub(in crate::file_url) fn scheme(&self, is_https: bool) -> Result<(), Reason> {
        if self.https_only && !is_https { Err(Reason::Scheme) } else { Ok(()) }
    }

    pub(in crate::file_url) fn port(&self, port: u16) -> Result<(), Reason> {
        match port {
            80 | 443 => Ok(()),
            1024.. if self.unprivileged_ports => Ok(()),
            _ => Err(Reason::Port),
        }
    }

    /// Judges by the two lists alone.
    pub(in crate::file_url) fn listed(&self, host: Host<'_>) -> Result<(), Reason> {
        if self.denied_hosts.iter().any(|pattern| pattern.matches(host)) {
            return Err(Reason::HostDenied);
        }
        match &self.allowed_hosts {
            Some(allowed) if !allowed.iter().any(|it| it.matches(host)) => {
                Err(Reason::HostNotAllowed)
            }
            _ => Ok(()),
        }
    }

    /// Returns whether the name is allowed in full, so that it is known to be meant.
    pub(in crate::file_url) fn names(&self, name: &str) -> bool {
        self.allowed_hosts.iter().flatten().any(|pattern| pattern.is(name))
    }

    pub(in crate::file_url) fn denies_address(&self, address: IpAddr) -> bool {
        self.denied_ranges.iter().any(|range| range.contains(address))
            || self.denied_hosts.iter().any(|pattern| pattern.is_address(address))
    }

    /// Returns the IPv4 addresses that one of IPv6 stands for in one's own network: one of each prefix
    /// that it is under.
    pub(in crate::file_url) fn behind_nat64(
        &self,
        address: Ipv6Addr,
    ) -> impl Iterator<Item = Ipv4Addr> {
        self.nat64_prefixes.iter().filter_map(move |prefix| prefix.meant(address))
    }

    pub(in crate::file_url) fn allows_address(&self, address: IpAddr) -> bool {
        self.allowed_ranges.iter().any(|range| range.contains(address))
    }

    pub(in crate::file_url) fn allows_only(&self, address: IpAddr) -> bool {
        self.allowed_ranges.iter().any(|range| range.is_only(address))
    }
}
