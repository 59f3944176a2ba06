//! Most messages hide nothing. They are known by the marks that they lack, at a few instructions a
//! byte, and are not read letter by letter.

use memchr::{memchr, memchr_iter, memchr2_iter, memchr3, memrchr};

use super::keyed;

/// The lead byte of `：`, and of other marks and letters.
const WIDE_MARK: u8 = 0xef;

/// Returns `true` only if [`scan::hide`](super::scan::hide) finds nothing in `text`. A doubt is no
/// reason to hide, but one to read.
pub(super) fn is_clean(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Queries, fragments, and whatever is assigned.
    memchr3(b'?', b'#', b'=', bytes).is_none()
        && memchr2_iter(b'-', b'J', bytes).all(|at| !ends_in_key(&bytes[..=at]))
        && !names_scheme(bytes)
        && memchr2_iter(b':', WIDE_MARK, bytes).all(|at| !is_told(text, at))
        && !names_account(text)
}

fn ends_in_key(bytes: &[u8]) -> bool {
    ["sk-", "ak-", "rk-", "pk-", "org-", "eyJ"].iter().any(|key| bytes.ends_with(key.as_bytes()))
}

/// Whether `bea`, `bas` or their like are in `text`: as much of `Bearer` and `Basic` as is rare. A
/// fold without a branch looks at many bytes at once.
fn names_scheme(text: &[u8]) -> bool {
    let behind = |count: usize| text.get(count..).unwrap_or_default();
    text.iter().zip(behind(1)).zip(behind(2)).fold(false, |found, ((a, b), c)| {
        let is_second = (b | 0x20 == b'e') | (b | 0x20 == b'a');
        let is_third = (c | 0x20 == b'a') | (c | 0x20 == b's');
        found | ((a | 0x20 == b'b') & is_second & is_third)
    })
}

/// Whether a colon at `at` stands behind the name of a secret, or in a URL.
fn is_told(text: &str, at: usize) -> bool {
    let (before, mark) = text.as_bytes().split_at(at);
    if mark[0] == WIDE_MARK && !mark.starts_with("：".as_bytes()) {
        return false;
    }
    mark.starts_with(b"://") || text.get(..before.len()).is_none_or(keyed::ends_in_name)
}

/// Whether `account` is followed by a word with `<` in it. Each word is looked at once.
fn names_account(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut seen = 0;
    memchr_iter(b'<', bytes).any(|at| {
        if at < seen {
            return false;
        }
        let word = memrchr(b' ', &bytes[..at]).map_or(0, |blank| blank + 1);
        seen = memchr(b' ', &bytes[at..]).map_or(bytes.len(), |length| at + length);
        bytes[word] != b'{' && keyed::ends_with_word(&text[..word], "account ")
    })
}
