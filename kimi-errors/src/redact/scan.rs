//! One look over a text, left to right: what to hide is known by how it starts.
//!
//! Linear: a rule that reads ahead either hides what it read, or read a word that no other start
//! reads again.

use std::ops::Range;

use super::{HIDDEN, keyed};

/// A stretch of the text and whether a mark stays where it was.
#[derive(Debug)]
struct Secret {
    range: Range<usize>,
    marked: bool,
}

/// What the characters up to here may belong to.
#[derive(Clone, Copy, PartialEq)]
enum Link {
    None,
    /// A word with a slash: it may be a path, and then `?` opens a query.
    Path,
    /// A word with `://`: `#` opens a fragment too.
    Url,
}

/// Returns `text` without its secrets; `None` if it has none.
pub(super) fn hide(text: &str) -> Option<String> {
    let mut shown = String::new();
    let mut copied = 0;
    let mut link = Link::None;
    for (at, character) in text.char_indices() {
        if at < copied {
            continue;
        }
        if ends_link(character) {
            link = Link::None;
        } else if character == '/' && link == Link::None {
            link = Link::Path;
        } else if is_scheme_end(text, at) {
            link = Link::Url;
        }
        let Some(secret) = secret_at(text, at, character, link) else { continue };
        shown.push_str(&text[copied..secret.range.start]);
        if secret.marked {
            shown.push_str(HIDDEN);
        }
        copied = secret.range.end;
    }
    if copied == 0 {
        return None;
    }
    shown.push_str(&text[copied..]);
    Some(shown)
}

fn secret_at(text: &str, at: usize, character: char, link: Link) -> Option<Secret> {
    let secret = match character {
        '?' | '#' => return query(text, at, link).map(|range| Secret { range, marked: false }),
        ':' => return user_info(text, at).map(|range| Secret { range, marked: false }),
        _ if !starts_word(text, at) => return None,
        _ => key(text, at).or_else(|| account(text, at)).or_else(|| keyed::value(text, at)),
    };
    secret.map(|range| Secret { range, marked: true })
}

/// `sk-…` and its like from 6 characters on, which spares `sk-SK`; `org-…` of an id's length, with
/// a digit, which spares `org-wide`; `eyJ…`, the start of every JSON object in base64, so of
/// every JWT.
fn key(text: &str, at: usize) -> Option<Range<usize>> {
    let word = &text[at..];
    let end = |more: &[u8]| {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || more.contains(byte);
        word.bytes().take_while(is_part).count()
    };
    let length = if ["sk-", "ak-", "rk-", "pk-"].iter().any(|prefix| word.starts_with(prefix)) {
        Some(end(b"-_")).filter(|length| *length >= "sk-".len() + 6)
    } else if word.starts_with("org-") && !text[..at].ends_with(['-', '_']) {
        Some(end(b"-_")).filter(|length| {
            *length >= "org-".len() + 12
                && word[..*length].bytes().any(|byte| byte.is_ascii_digit())
        })
    } else if word.starts_with("eyJ") {
        Some(end(b"-_.+/=")).filter(|length| *length >= "eyJ".len() + 8)
    } else {
        None
    };
    length.map(|length| at..at + length)
}

/// The ids in the platform's `Your account org-x<ak-y> is suspended`. Its documents show
/// `Your account {org}<{ak}>`, which hides itself.
fn account(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = keyed::strip_word(&text[at..], "account")?.strip_prefix(' ')?;
    let length = rest.find([' ', '>'])? + 1;
    let is_id =
        !rest.starts_with('{') && rest[..length].ends_with('>') && rest[..length].contains('<');
    let start = text.len() - rest.len();
    is_id.then(|| start..start + length)
}

/// `?…` behind a path or before `name=`, and the `#…` of a URL.
fn query(text: &str, at: usize, link: Link) -> Option<Range<usize>> {
    let rest = &text[at + 1..];
    let is_query = match (text.as_bytes()[at], link) {
        (b'?', Link::None) => {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let name = rest.bytes().take_while(is_name).count();
            name > 0 && rest.as_bytes().get(name) == Some(&b'=')
        }
        // Chinese text needs no blank between a path and a question.
        (b'?', Link::Path) => rest.starts_with(|first: char| first.is_ascii()),
        (b'?' | b'#', Link::Url) => true,
        _ => false,
    };
    if !is_query {
        return None;
    }
    let length = rest.find(ends_link).unwrap_or(rest.len());
    (length > 0).then(|| at..at + 1 + length)
}

/// The `user:password@` of a URL.
fn user_info(text: &str, at: usize) -> Option<Range<usize>> {
    if !is_scheme_end(text, at) {
        return None;
    }
    let start = at + "://".len();
    let rest = &text[start..];
    let ends = |character| ends_link(character) || matches!(character, '/' | '?' | '#');
    let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
    authority.rfind('@').map(|sign| start..start + sign + 1)
}

fn is_scheme_end(text: &str, at: usize) -> bool {
    text[at..].starts_with("://") && !starts_word(text, at)
}

/// Returns whether no letter or digit stands before `at`.
fn starts_word(text: &str, at: usize) -> bool {
    at.checked_sub(1).is_none_or(|before| !text.as_bytes()[before].is_ascii_alphanumeric())
}

/// What can stand in no URL, even if it was written by hand. Other characters past ASCII can.
fn ends_link(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '"' | '<' | '>' | '`')
        || is_cjk_mark(character)
}

/// The marks of Chinese text: 、。「」，：；？ and so on.
pub(super) fn is_cjk_mark(character: char) -> bool {
    matches!(
        character,
        '\u{3000}'..='\u{303f}'
            | '\u{ff00}'..='\u{ff0f}'
            | '\u{ff1a}'..='\u{ff20}'
            | '\u{ff3b}'..='\u{ff40}'
            | '\u{ff5b}'..='\u{ff65}'
    )
}
