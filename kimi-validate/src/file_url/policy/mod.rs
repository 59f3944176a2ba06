mod asked;

use super::{InvalidHost, InvalidPrefix, IpRange, MediaTypes, address::Nat64, host::Pattern};
use crate::limits::{MAX_FILE_BYTES, MAX_URL_BYTES};

/// Which file URLs are allowed.
///
/// | what | default |
/// |---|---|
/// | schemes | `http`, `https` and `data` |
/// | ports | 80 and 443 |
/// | hosts | every public name and address |
/// | length of a URL | [8 000 bytes](MAX_URL_BYTES), `data:` URLs apart |
/// | data of a `data:` URL | [100 MiB](MAX_FILE_BYTES) when decoded, of the [platform's types](MediaTypes::platform) |
///
/// ```
/// use kimi_validate::file_url::{FileUrl, Reason, UrlPolicy};
///
/// let policy = UrlPolicy::new().with_https_only().with_allowed_hosts(["*.example.com"])?;
/// assert!(FileUrl::parse("https://cdn.example.com/a.pdf", &policy).is_ok());
/// assert_eq!(
///     FileUrl::parse("https://example.org/a.pdf", &policy).unwrap_err(),
///     Reason::HostNotAllowed,
/// );
/// # Ok::<(), kimi_validate::file_url::InvalidHost>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct UrlPolicy {
    pub(super) max_url_bytes: usize,
    pub(super) max_data_bytes: u64,
    /// `None` where `data:` URLs are not allowed.
    pub(super) data_types: Option<MediaTypes>,
    https_only: bool,
    unprivileged_ports: bool,
    /// `None` where all are allowed.
    allowed_hosts: Option<Vec<Pattern>>,
    denied_hosts: Vec<Pattern>,
    allowed_ranges: Vec<IpRange>,
    denied_ranges: Vec<IpRange>,
    nat64_prefixes: Vec<Nat64>,
}

impl UrlPolicy {
    /// Creates the default policy.
    pub const fn new() -> Self {
        Self {
            max_url_bytes: MAX_URL_BYTES,
            max_data_bytes: MAX_FILE_BYTES,
            data_types: Some(MediaTypes::platform()),
            https_only: false,
            unprivileged_ports: false,
            allowed_hosts: None,
            denied_hosts: Vec::new(),
            allowed_ranges: Vec::new(),
            denied_ranges: Vec::new(),
            nat64_prefixes: Vec::new(),
        }
    }

    /// Refuses `http`.
    pub const fn with_https_only(mut self) -> Self {
        self.https_only = true;
        self
    }

    /// Also allows the ports from 1024 on, which on most systems take no privilege to serve, RFC 6335
    /// §6.
    pub const fn with_unprivileged_ports(mut self) -> Self {
        self.unprivileged_ports = true;
        self
    }

    /// Allows no other hosts than these: a name, an address, or `*.example.com` for all names below
    /// it. In place of those given before.
    ///
    /// A name that is listed in full may be one of a local network, such as `minio`. Its addresses
    /// are judged all the same: see [`with_allowed_ranges`](Self::with_allowed_ranges).
    ///
    /// # Errors
    ///
    /// If one is no host.
    pub fn with_allowed_hosts<T>(mut self, hosts: T) -> Result<Self, InvalidHost>
    where
        T: IntoIterator,
        T::Item: AsRef<str>,
    {
        self.allowed_hosts = Some(patterns(hosts)?);
        Ok(self)
    }

    /// Refuses these hosts, also those of them that are allowed. Written in the same way. In place
    /// of those given before.
    ///
    /// A name that is resolved to a denied address is refused as well, by [`judge`](super::judge); a
    /// denied name says nothing of its addresses, which may have other names.
    ///
    /// # Errors
    ///
    /// If one is no host.
    pub fn with_denied_hosts<T>(mut self, hosts: T) -> Result<Self, InvalidHost>
    where
        T: IntoIterator,
        T::Item: AsRef<str>,
    {
        self.denied_hosts = patterns(hosts)?;
        Ok(self)
    }

    /// Allows addresses that are not public: for tests, and for the files of one's own network.
    /// **Whoever may send a URL reaches everything in these ranges.** In place of those given before.
    ///
    /// A metadata service inside of such a range stays refused, unless a range of that one address
    /// is given.
    pub fn with_allowed_ranges(mut self, ranges: impl IntoIterator<Item = IpRange>) -> Self {
        self.allowed_ranges = ranges.into_iter().collect();
        self
    }

    /// Refuses these addresses, also those of them that are allowed: public ones which one's own
    /// network treats as inner ones. It holds for an address in a URL, for one that a name is
    /// resolved to, and for one of IPv4 inside of one of IPv6. In place of those given before.
    ///
    /// ```
    /// use kimi_validate::file_url::{Reason, UrlPolicy, judge};
    ///
    /// let policy = UrlPolicy::new().with_denied_ranges(["198.100.0.0/16".parse()?]);
    /// assert_eq!(judge("198.100.1.7".parse()?, &policy), Err(Reason::HostDenied));
    /// assert_eq!(judge("::ffff:198.100.1.7".parse()?, &policy), Err(Reason::HostDenied));
    /// assert_eq!(judge("198.101.1.7".parse()?, &policy), Ok(()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_denied_ranges(mut self, ranges: impl IntoIterator<Item = IpRange>) -> Self {
        self.denied_ranges = ranges.into_iter().map(IpRange::unmapped).collect();
        self
    }

    /// Names the prefixes under which one's own network leads to IPv4: NAT64, RFC 6052 §2.2. What is
    /// under them is judged by the IPv4 address in it, wherever the prefix is from; a prefix that is
    /// not named is one of IPv6 like any other. **In a network with NAT64 under a prefix of its own,
    /// `2a00:64::10.0.0.1` leads to 10.0.0.1, and nothing but this setting knows.** The well-known
    /// prefix, `64:ff9b::/96`, is always one. In place of those given before.
    ///
    /// ```
    /// use kimi_validate::file_url::{Reason, UrlPolicy, judge};
    ///
    /// let policy = UrlPolicy::new().with_nat64_prefixes(["fd64::/96".parse()?])?;
    /// assert_eq!(judge("fd64::8.8.8.8".parse()?, &policy), Ok(()));
    /// assert_eq!(judge("fd64::10.0.0.1".parse()?, &policy), Err(Reason::Address));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If one is not of IPv6, or has not 32, 40, 48, 56, 64 or 96 bits.
    pub fn with_nat64_prefixes(
        mut self,
        prefixes: impl IntoIterator<Item = IpRange>,
    ) -> Result<Self, InvalidPrefix> {
        self.nat64_prefixes = prefixes.into_iter().map(Nat64::of).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Sets the longest URL, in bytes; `data:` URLs have a limit of their own. Default: 8 000.
    pub const fn with_max_url_bytes(mut self, max_bytes: usize) -> Self {
        self.max_url_bytes = max_bytes;
        self
    }

    /// Sets how much a `data:` URL may hold, in bytes when decoded. Default: 104 857 600, 100 MiB.
    pub const fn with_max_data_bytes(mut self, max_bytes: u64) -> Self {
        self.max_data_bytes = max_bytes;
        self
    }

    /// Sets which types a `data:` URL may be of. Default: [`MediaTypes::platform`].
    pub fn with_data_types(mut self, types: MediaTypes) -> Self {
        self.data_types = Some(types);
        self
    }

    /// Refuses `data:` URLs, as the article does.
    pub fn without_data_urls(mut self) -> Self {
        self.data_types = None;
        self
    }
}

impl Default for UrlPolicy {
    fn default() -> Self {
        Self::new()
    }
}

fn patterns<T>(hosts: T) -> Result<Vec<Pattern>, InvalidHost>
where
    T: IntoIterator,
    T::Item: AsRef<str>,
{
    hosts.into_iter().map(|host| Pattern::parse(host.as_ref())).collect()
}
