//! What may be shown of a text that a stranger wrote.
//!
//! | in the text | shown |
//! |---|---|
//! | `Bearer x`, `Basic dXNlcjpwYXNz` | `Bearer ***`, `Basic ***` |
//! | `sk-…`, `ak-…`, `rk-…`, `pk-…`, an `org-…` with digits, a JWT | `***` |
//! | `token=…`, `"access_token":"…"`, `api_key: …`, `密码：…` | `token=***`, … |
//! | `Authorization: …`, `Cookie: …`, `invalid user token: …` | `***` up to the end |
//! | `Your account org-x<ak-y> is …` | `Your account *** is …` |
//! | `https://u:p@host/path?query#fragment`, `/path?query` | `https://host/path`, `/path` |
//! | line breaks, tabs, other control characters | one space |
//! | bidirectional overrides, zero-width characters | nothing |
//!
//! A doubtful case is hidden: a word too few in a message costs less than a key too many. What
//! looks like none of these (a bare password in a sentence) cannot be told from prose.

mod clean;
mod keyed;
mod plain;
mod scan;

use std::borrow::Cow;

use crate::scan::start;

/// The longest public message, in bytes: room for every message known, and for no body.
const MAX_BYTES: usize = 4096;

/// The longest code or type of an upstream, in characters; the longest known has 28.
pub(crate) const LONGEST_NAME: usize = 64;

/// Stands where something was hidden.
const HIDDEN: &str = "***";

/// Returns `text` without credentials, query strings and control characters, cut at
/// [`MAX_BYTES`]. Idempotent; a text with nothing to hide is returned as it is.
pub(crate) fn public(text: Cow<'static, str>) -> Cow<'static, str> {
    let mut text = match plain::without_controls(&text) {
        Some(plain) => Cow::Owned(plain),
        None => text,
    };
    // Hiding or cutting can bring out what only now reads as a secret, so look until nothing is
    // found: what is returned is what another call would return. Every round hides a character
    // that is no asterisk or shortens the text; all rounds but the first see a short text.
    loop {
        text = match hide(&text) {
            Some(hidden) => Cow::Owned(cut(hidden)),
            None if text.len() > MAX_BYTES => Cow::Owned(cut(text.into_owned())),
            None => return text,
        };
    }
}

/// Returns whether `id` is 1 to 128 characters that can forge nothing, and no credential.
pub(crate) fn is_plain_id(id: &str) -> bool {
    let is_plain =
        |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'-'..=b':' | b'_' | b'+' | b'=' | b'@');
    // Small letters alone, as most types are, have no mark that a credential has.
    let is_word = |byte| matches!(byte, b'a'..=b'z' | b'_' | b'.');
    (1..=128).contains(&id.len())
        && id.bytes().all(is_plain)
        && (id.bytes().all(is_word) || hide(id).is_none())
}

/// Returns whether `name` can be the code or type of an error, such as `auth.token.invalid`: 1 to
/// 64 characters of `A-Z a-z 0-9 - _ . : /`, and no credential.
pub(crate) fn is_plain_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && !name.bytes().any(|byte| b"+=@".contains(&byte))
        && is_plain_id(name)
}

/// Returns `text` without its secrets; `None` if it has none.
fn hide(text: &str) -> Option<String> {
    if clean::is_clean(text) { None } else { scan::hide(text) }
}

fn cut(mut text: String) -> String {
    text.truncate(start(&text, MAX_BYTES).len());
    text
}

#[cfg(test)]
mod tests;
