//! What is asked of a URL's text before anybody parses it.
//!
//! WHATWG's parser is made to repair: it drops tabs and line breaks, trims, takes a backslash for
//! a slash, and adds slashes that are missing. Others do not, and whoever is asked to fetch the text
//! may then reach another host than the one that was judged. So nothing is let through that takes
//! repair.

use super::Reason;

/// A URL of `http` or `https`, cut where its parts begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a> {
    pub(super) is_https: bool,
    /// With its brackets, if it is an IPv6 address.
    pub(super) host: &'a str,
    /// Without its colon.
    pub(super) port: Option<&'a str>,
}

impl<'a> Raw<'a> {
    pub(super) fn cut(text: &'a str) -> Result<Self, Reason> {
        let (scheme, rest) = text.split_once(':').ok_or(Reason::Scheme)?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err(Reason::Scheme);
        }
        let rest = rest.strip_prefix("//").ok_or(Reason::Slashes)?;
        if rest.starts_with('/') {
            return Err(Reason::Slashes);
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = &rest[..end];
        if authority.contains('@') {
            return Err(Reason::Userinfo);
        }
        let (host, port) = cut_port(authority)?;
        if host.is_empty() {
            return Err(Reason::Syntax);
        }
        Ok(Self { is_https, host, port })
    }

    /// Returns the port that is written out, or the scheme's own.
    pub(super) fn port(&self) -> Result<u16, Reason> {
        let Some(text) = self.port else {
            return Ok(if self.is_https { 443 } else { 80 });
        };
        let port: u16 = text.parse().map_err(|_| Reason::Port)?;
        // Neither a sign nor leading zeros.
        if text == port.to_string() { Ok(port) } else { Err(Reason::Port) }
    }
}

fn cut_port(authority: &str) -> Result<(&str, Option<&str>), Reason> {
    // The colons of an IPv6 address stand in its brackets.
    let from =
        if authority.starts_with('[') { authority.find(']').ok_or(Reason::Syntax)? + 1 } else { 0 };
    match authority[from..].find(':') {
        Some(colon) => Ok((&authority[..from + colon], Some(&authority[from + colon + 1..]))),
        None => Ok((authority, None)),
    }
}

/// Judges each character, whole URL or reference to one.
pub(super) fn characters(text: &str, max_bytes: usize) -> Result<(), Reason> {
    if text.is_empty() {
        return Err(Reason::Empty);
    }
    if text.len() > max_bytes {
        return Err(Reason::TooLong);
    }
    text.chars().try_for_each(|character| match character {
        '\\' => Err(Reason::Backslash),
        // Those that turn the direction of writing, Unicode UAX 9 §2, and the byte order mark.
        '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => Err(Reason::Control),
        // Tabs and line breaks too, though they are also spaces.
        _ if character.is_control() => Err(Reason::Control),
        _ if character.is_whitespace() => Err(Reason::Whitespace),
        _ => Ok(()),
    })
}
