//! The article's form: `{"errcode":-2002,"errmsg":"Token已失效","data":null}`.

use std::{borrow::Cow, io::Write as _};

use super::{platform, write_data, write_str};
use crate::{
    Error, ErrorKind, Lang,
    decode::{Answer, Verdict},
};

pub(crate) fn write(error: &Error, out: &mut Vec<u8>) {
    write_members(error, out);
    out.push(b'}');
}

/// Appends the object without its closing brace, so that members may follow.
pub(super) fn write_members(error: &Error, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    let _ = write!(out, "{{\"errcode\":{},\"errmsg\":", error.errcode());
    write_str(error.message(), out);
    out.extend_from_slice(b",\"data\":");
    write_data(error, out);
}

/// Returns the error of a code and a message.
pub(crate) fn classify(code: i32, message: &str) -> Error {
    let verdict = verdict(Some(code), message, None);
    let message = Some(Cow::Borrowed(message));
    Answer { message, ..Answer::default() }.into_error(verdict, None)
}

/// Returns what a code, its message and the HTTP status mean together.
///
/// Codes are trusted as far as they go. -1000 and -2001 say only that something failed, so that a
/// known text says more; and a code that several kinds share is told apart by the status, or by
/// the very message that a kind of ours has.
pub(crate) fn verdict(code: Option<i32>, text: &str, http: Option<u16>) -> Verdict {
    let Some(code) = code else { return platform::verdict("", "", text, http) };
    let Some(owner) = ErrorKind::from_errcode(code) else {
        let verdict = platform::verdict("", "", text, http);
        // An error that says 0 would be read as a success wherever it went.
        return if code == 0 { verdict } else { verdict.with_errcode(code) };
    };
    let mut sharers = ErrorKind::ALL.iter().copied().filter(|kind| kind.errcode() == code);
    let is_own_text =
        |kind: &ErrorKind| [Lang::Zh, Lang::En].map(|lang| kind.message(lang)).contains(&text);
    if let Some(kind) = sharers.clone().find(is_own_text) {
        return Verdict::of(kind);
    }
    let says_little = matches!(owner, ErrorKind::System | ErrorKind::RequestFailed);
    if says_little && let Some(verdict) = platform::said(text, true) {
        return verdict;
    }
    let told_apart = |kind: &ErrorKind| http.is_some_and(|http| http == kind.status());
    if told_apart(&owner) {
        return Verdict::of(owner);
    }
    Verdict::of(sharers.find(told_apart).unwrap_or(owner))
}
