//! Which hosts a URL may name, as far as their names tell.

use std::{error::Error as StdError, fmt, net::IpAddr};

use url::Host as Parsed;

use super::{Reason, UrlPolicy, address};

/// Names of one label have a reason of their own; these are the others that mean the machine itself,
/// its network, or nothing. All names below them are meant as well.
const LOCAL: &[&str] = &[
    // IANA, special-use domain names, <https://www.iana.org/assignments/special-use-domain-names>.
    "alt",       // RFC 9476
    "arpa",      // RFC 3172; home.arpa, RFC 8375
    "example",   // RFC 6761; its example.com is a public name
    "invalid",   // RFC 6761
    "local",     // RFC 6762
    "localhost", // RFC 6761
    "onion",     // RFC 7686
    "test",      // RFC 6761
    // ICANN, resolution 2024.07.29.06.
    "internal",
    // RFC 6762, appendix G: what networks are known to use.
    "corp",
    "home",
    "intranet",
    "lan",
    "private",
    // ICANN, name collisions, with corp and home.
    "mail",
    // /etc/hosts of many a Linux.
    "localdomain",
];

/// Under which a machine in a cloud asks for its credentials.
const METADATA: &[&str] = &[
    "instance-data",                // AWS
    "instance-data.ec2.internal",   // AWS
    "metadata",                     // Google Cloud
    "metadata.goog",                // Google Cloud
    "metadata.google.internal",     // Google Cloud
    "metadata.packet.net",          // Equinix Metal
    "metadata.platformequinix.com", // Equinix Metal
    "metadata.tencentyun.com",      // Tencent Cloud
];

/// The host of a URL, as it will be dialed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Host<'a> {
    /// In lower case, with `xn--` for what is not ASCII.
    Name(&'a str),
    /// Not one of IPv6 that only wraps one of IPv4.
    Address(IpAddr),
}

/// Judges the host of a URL, which stands there as `written`.
pub(super) fn judge(written: &str, host: &Parsed<&str>, policy: &UrlPolicy) -> Result<(), Reason> {
    let as_dialed = match host {
        Parsed::Domain(name) => {
            shape(name)?;
            // Before its form: who writes `ⓛocalhost` is told what it is.
            public(name, policy)?;
            Host::Name(name)
        }
        Parsed::Ipv4(address) => literal((*address).into(), policy)?,
        Parsed::Ipv6(address) => literal((*address).into(), policy)?,
    };
    if !is_as_written(written, host) {
        return Err(Reason::HostForm);
    }
    policy.listed(as_dialed)
}

fn literal(address: IpAddr, policy: &UrlPolicy) -> Result<Host<'static>, Reason> {
    address::judge(address, policy)?;
    Ok(Host::Address(address::unwrapped(address)))
}

/// Holds a name to RFC 1123 §2.1, with underscores besides, which some storages have in theirs.
fn shape(name: &str) -> Result<(), Reason> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A trailing dot is an empty label too. It would pass by every list of names.
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    if is_name { Ok(()) } else { Err(Reason::HostName) }
}

fn public(name: &str, policy: &UrlPolicy) -> Result<(), Reason> {
    if METADATA.contains(&name) {
        return Err(Reason::Metadata);
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_local = LOCAL.contains(&last);
    if policy.names(name) {
        Ok(())
    } else if is_local {
        Err(Reason::LocalName)
    } else if last == name {
        Err(Reason::SingleLabel)
    } else if last.starts_with(|first: char| first.is_ascii_digit()) {
        // No top-level domain begins with a digit (RFC 1123 §2.1), and what some take for a number
        // does, such as `0x7f`.
        Err(Reason::HostName)
    } else {
        Ok(())
    }
}

/// Whether others read the same host: what we let through is read again by whoever fetches it, and
/// not by WHATWG's rules.
///
/// A name may be in capitals, and a label that is not ASCII must be one for which `xn--` is written,
/// not one which is mapped to ASCII, such as full-width letters. An IPv4 address must be four plain
/// decimals; `010.0.0.1` is 8.0.0.1 here and 10.0.0.1 elsewhere.
fn is_as_written(written: &str, host: &Parsed<&str>) -> bool {
    match host {
        Parsed::Domain(name) => {
            let labels = written.split('.').zip(name.split('.'));
            written.split('.').count() == name.split('.').count()
                && labels.into_iter().all(|(written, label)| match written.is_ascii() {
                    true => written.eq_ignore_ascii_case(label),
                    false => label.starts_with("xn--"),
                })
        }
        Parsed::Ipv4(address) => written == address.to_string(),
        Parsed::Ipv6(address) => {
            let inside = written.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            inside.is_some_and(|it| it.parse() == Ok(*address))
        }
    }
}

/// A row of a list of hosts.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Name(String),
    /// All names that end in this, which begins with a dot.
    Below(String),
    Address(IpAddr),
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidHost> {
        let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Address(address::unwrapped(address)));
        }
        let below = text.strip_prefix("*.");
        match Parsed::parse(below.unwrap_or(text)) {
            Ok(Parsed::Domain(name)) if shape(&name).is_ok() => {
                Ok(if below.is_some() { Self::Below(format!(".{name}")) } else { Self::Name(name) })
            }
            _ => Err(InvalidHost),
        }
    }

    pub(super) fn matches(&self, host: Host<'_>) -> bool {
        match (self, host) {
            (Self::Name(_), Host::Name(name)) => self.is(name),
            (Self::Below(end), Host::Name(name)) => name.ends_with(end.as_str()),
            (Self::Address(known), Host::Address(address)) => *known == address,
            _ => false,
        }
    }

    /// Returns whether it is this one address.
    pub(super) fn is_address(&self, address: IpAddr) -> bool {
        matches!(self, Self::Address(known) if *known == address)
    }

    /// Returns whether it is this one name.
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Name(known) if known == name)
    }
}

/// A text that is no host, in a list of hosts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InvalidHost;

impl fmt::Display for InvalidHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a host such as example.com, *.example.com or 93.184.215.14")
    }
}

impl StdError for InvalidHost {}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, host: &str) -> bool {
        let host = host.parse().map_or(Host::Name(host), Host::Address);
        Pattern::parse(pattern).unwrap().matches(host)
    }

    #[test]
    fn a_pattern_is_a_host_or_what_is_below_one() {
        assert!(matches("example.com", "example.com"));
        assert!(matches("EXAMPLE.com", "example.com"));
        assert!(matches("例子.中国", "xn--fsqu00a.xn--fiqs8s"));
        assert!(!matches("example.com", "a.example.com"));
        assert!(matches("*.example.com", "a.b.example.com"));
        assert!(!matches("*.example.com", "example.com"));
        assert!(!matches("*.example.com", "badexample.com"));
        assert!(matches("[2a00::1]", "2a00::1"));
        assert!(matches("::ffff:1.2.3.4", "1.2.3.4"));
        assert!(!matches("1.2.3.4", "1.2.3.5"));
    }

    #[test]
    fn anything_else_is_no_pattern() {
        for text in ["", "*", "*.", "a..b", "a.", "a/b", "a:80", "*.*.com", "a.*.com", "user@a.com"]
        {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
