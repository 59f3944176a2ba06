use std::{fmt, net::IpAddr};

use url::{Host, Url};

use super::{DataUrl, Reason, UrlPolicy, host, raw, raw::Raw};

/// A file URL that is allowed: it exists only if it is well formed and its policy has nothing against
/// it. See the [module](super) for what that protects from, and what not.
///
/// ```
/// use kimi_validate::file_url::{FileUrl, Reason, UrlPolicy};
///
/// let policy = UrlPolicy::new();
/// let url = FileUrl::parse("https://例子.中国/报告.pdf", &policy)?;
/// let FileUrl::Remote(url) = url else { panic!() };
/// assert_eq!(url.host(), "xn--fsqu00a.xn--fiqs8s");
///
/// assert_eq!(FileUrl::parse("http://127.1/", &policy).unwrap_err(), Reason::Address);
/// assert_eq!(FileUrl::parse("http:/example.com", &policy).unwrap_err(), Reason::Slashes);
///
/// let FileUrl::Data(data) = FileUrl::parse("data:image/png;base64,iVBORw0K", &policy)? else { panic!() };
/// assert_eq!((data.media_type(), data.bytes()), ("image/png", 6));
/// # Ok::<(), Reason>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FileUrl {
    /// A file that is to be fetched.
    Remote(RemoteUrl),
    /// A file that has come with the URL.
    Data(DataUrl),
}

impl FileUrl {
    /// Judges a URL. Nothing is resolved and nothing fetched.
    ///
    /// # Errors
    ///
    /// The first [`Reason`] that is found.
    pub fn parse(text: &str, policy: &UrlPolicy) -> Result<Self, Reason> {
        // These alone may be long, so that nothing looks at all of their characters but once.
        match text.split_at_checked(5) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("data:") => {
                DataUrl::parse(rest, policy).map(Self::Data)
            }
            _ => RemoteUrl::parse(text, policy).map(Self::Remote),
        }
    }
}

/// A URL of `http` or `https` that is allowed.
///
/// It is kept as WHATWG's rules serialize it, without a fragment, which is never sent. `Debug` shows
/// scheme, host and port: in path and query there may be signatures.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct RemoteUrl(Url);

impl RemoteUrl {
    /// Judges a URL as [`FileUrl::parse`] does, of these two schemes alone.
    ///
    /// # Errors
    ///
    /// The first [`Reason`] that is found.
    pub fn parse(text: &str, policy: &UrlPolicy) -> Result<Self, Reason> {
        raw::characters(text, policy.max_url_bytes)?;
        let raw = Raw::cut(text)?;
        policy.scheme(raw.is_https)?;
        policy.port(raw.port()?)?;
        let mut url = Url::parse(text).map_err(|_| Reason::Syntax)?;
        // Never so of what passed above, unless the two readings differ: then neither is trusted.
        let is_same = url.scheme() == if raw.is_https { "https" } else { "http" }
            && url.username().is_empty()
            && url.password().is_none()
            && url.port_or_known_default() == raw.port().ok();
        if !is_same {
            return Err(Reason::Syntax);
        }
        host::judge(raw.host, &url.host().ok_or(Reason::Syntax)?, policy)?;
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// Judges what a redirect leads to: a URL, or a reference relative to this one, RFC 9110
    /// §10.2.2.
    ///
    /// ```
    /// use kimi_validate::file_url::{Reason, RemoteUrl, UrlPolicy};
    ///
    /// let policy = UrlPolicy::new();
    /// let url = RemoteUrl::parse("https://example.com/a/b?c", &policy)?;
    /// assert_eq!(url.join("../d", &policy)?.as_str(), "https://example.com/d");
    /// assert_eq!(url.join("//cdn.example.net/d", &policy)?.host(), "cdn.example.net");
    /// assert_eq!(url.join("//localhost/d", &policy).unwrap_err(), Reason::LocalName);
    /// assert_eq!(url.join("file:///etc/passwd", &policy).unwrap_err(), Reason::Scheme);
    /// # Ok::<(), Reason>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first [`Reason`] that is found.
    pub fn join(&self, reference: &str, policy: &UrlPolicy) -> Result<Self, Reason> {
        raw::characters(reference, policy.max_url_bytes)?;
        if has_scheme(reference) {
            return Self::parse(reference, policy);
        }
        if reference.starts_with("//") {
            return Self::parse(&[self.0.scheme(), ":", reference].concat(), policy);
        }
        let joined = self.0.join(reference).map_err(|_| Reason::Syntax)?;
        Self::parse(joined.as_str(), policy)
    }

    /// Returns the URL, in ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the URL, parsed.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Returns the host: a name in lower case, with `xn--` for what is not ASCII, or an address, that
    /// of IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Returns the address, if the host is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// Returns the port, which is the scheme's own if none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }

    /// Returns whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteUrl({}://{}:{}/…)", self.0.scheme(), self.host(), self.port())
    }
}

/// RFC 3986 §3.1 and §4.2: a colon before any slash ends a scheme.
fn has_scheme(reference: &str) -> bool {
    let before = reference.find(['/', '?', '#']).unwrap_or(reference.len());
    reference[..before].contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_neither_path_nor_query() {
        let text = "https://example.com/secret-path?sig=secret-query#secret-part";
        let url = FileUrl::parse(text, &UrlPolicy::new()).unwrap();
        let shown = format!("{url:?}");
        assert!(shown.contains("https://example.com:443") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_fragment_is_not_kept() {
        let url = RemoteUrl::parse("https://example.com/a#b", &UrlPolicy::new()).unwrap();
        assert_eq!(url.as_str(), "https://example.com/a");
    }

    #[test]
    fn a_reference_is_held_to_the_same() {
        let policy = UrlPolicy::new();
        let url = RemoteUrl::parse("https://example.com/a/b?c", &policy).unwrap();
        for (reference, expected) in [
            ("d e", Reason::Whitespace),
            ("d\te", Reason::Control),
            ("/\\10.0.0.1/", Reason::Backslash),
            ("", Reason::Empty),
            ("http:/d", Reason::Slashes),
            ("https:d", Reason::Slashes),
            ("data:text/plain;base64,YQ==", Reason::Scheme),
            ("javascript:alert(1)", Reason::Scheme),
            ("//user@example.com/", Reason::Userinfo),
            ("//10.0.0.1/", Reason::Address),
            ("///10.0.0.1/", Reason::Slashes),
            ("http://0x7f.1/", Reason::Address),
            ("//example.com:22/", Reason::Port),
        ] {
            assert_eq!(url.join(reference, &policy).unwrap_err(), expected, "{reference:?}");
        }
        for (reference, expected) in [
            ("?x", "https://example.com/a/b?x"),
            ("/x:y", "https://example.com/x:y"),
            ("./x:y", "https://example.com/a/x:y"),
            ("#x", "https://example.com/a/b?c"),
            ("文件", "https://example.com/a/%E6%96%87%E4%BB%B6"),
            ("http://EXAMPLE.org", "http://example.org/"),
        ] {
            assert_eq!(url.join(reference, &policy).unwrap().as_str(), expected, "{reference:?}");
        }
    }
}
