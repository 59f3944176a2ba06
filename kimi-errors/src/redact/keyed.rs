//! Secrets that are told by the name before them: `token=…`, `"api_key": "…"`, `Bearer …`.

use std::ops::Range;

use super::scan::is_cjk_mark;

/// How much behind a name is secret.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reach {
    /// The value, behind `=` or a colon.
    Value,
    /// The value, behind `=` only: `key: model` is prose.
    Assigned,
    /// Everything: the value has parts and spaces.
    Rest,
}

/// Names whose value is secret, without case, `-` and `_`; `accessToken` ends in one of them.
const VALUE: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "credential",
    "credentials",
    "jwt",
    "bearer",
];
const ASSIGNED: &[&str] = &["key", "auth", "sig", "signature", "session", "sessionid"];
const REST: &[&str] = &["authorization", "cookie", "cookies"];
const CHINESE: &[&str] = &["密码", "口令", "密钥", "令牌"];

/// Words behind `Bearer` that are no credential: `a Bearer token is required`.
const NO_CREDENTIAL: &[&str] = &[
    "and",
    "auth",
    "authentication",
    "authorization",
    "credential",
    "credentials",
    "format",
    "header",
    "is",
    "or",
    "prefix",
    "scheme",
    "token",
    "tokens",
];

/// The longest `{placeholder}`, in bytes; a longer one is taken for a value.
const MAX_PLACEHOLDER: usize = 24;

/// Returns where the secret lies that the word at `at` announces.
pub(super) fn value(text: &str, at: usize) -> Option<Range<usize>> {
    let (before, word) = text.split_at(at);
    if before.ends_with(['-', '_']) {
        // The middle of a name, which was read from its start.
        return None;
    }
    if let Some(name) = CHINESE.iter().find(|name| word.starts_with(**name)) {
        return mark(text, at + name.len())?.value(text, Reach::Value);
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let name = &word[..word.bytes().take_while(is_name).count()];
    let end = at + name.len();
    // Most words have no mark behind them, so that asking for it first is quick.
    behind_scheme(text, name, end)
        .or_else(|| mark(text, end).and_then(|mark| mark.value(text, reach(before, name)?)))
}

/// Returns whether `text`, which a colon follows, may end in a name whose value is secret.
pub(super) fn ends_in_name(text: &str) -> bool {
    let name = text.trim_end_matches(' ').trim_end_matches(['"', '\'']).trim_end_matches('\\');
    let Some(last) = name.trim_end_matches(['-', '_']).bytes().last() else { return false };
    let mut names = [VALUE, REST, &["key", "provided"]].into_iter().flatten();
    !last.is_ascii() && CHINESE.iter().any(|end| name.ends_with(end))
        || names.any(|end| end.ends_with(char::from(last | 0x20)) && ends_in(name, end))
}

/// Returns what follows `word` at the start of `text`, in any case.
pub(super) fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

fn reach(before: &str, name: &str) -> Option<Reach> {
    let is_any = |names: &[&str]| names.iter().any(|end| ends_in(name, end));
    let follows = |words: &[&str]| words.iter().any(|word| ends_with_word(before, word));
    if is_any(REST) || ends_in(name, "token") && ends_with_word(before, "invalid user ") {
        Some(Reach::Rest)
    } else if is_any(VALUE)
        || name.eq_ignore_ascii_case("key") && follows(&["api ", "access ", "secret ", "private "])
        || name.eq_ignore_ascii_case("provided") && follows(&["key ", "token "])
    {
        Some(Reach::Value)
    } else {
        is_any(ASSIGNED).then_some(Reach::Assigned)
    }
}

/// `Bearer x`, `Basic x`.
fn behind_scheme(text: &str, name: &str, end: usize) -> Option<Range<usize>> {
    let is_bearer = name.eq_ignore_ascii_case("bearer");
    if !is_bearer && !name.eq_ignore_ascii_case("basic") {
        return None;
    }
    let rest = text[end..].trim_start_matches(' ');
    let start = text.len() - rest.len();
    // RFC 9110 §11.2, `token68`; kimi-free-api takes several tokens with commas between.
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=,".contains(byte);
    let run = &rest[..rest.bytes().take_while(is_part).count()];
    let run = run.trim_end_matches([',', '.']);
    let is_secret = if is_bearer {
        !NO_CREDENTIAL.iter().any(|word| run.eq_ignore_ascii_case(word))
    } else {
        // `basic information` is prose; base64 of that length without capital or digit is not.
        run.len() >= 8 && run.bytes().skip(1).any(|byte| !byte.is_ascii_lowercase())
    };
    (start > end && !run.is_empty() && is_secret).then(|| start..start + run.len())
}

/// What stands between a name and its value: `=`, `:` or `：`.
#[derive(Clone, Copy, Debug)]
struct Mark {
    end: usize,
    is_assigned: bool,
}

/// Returns the mark behind a name that ends at `end`, and that may have been in quotes.
fn mark(text: &str, end: usize) -> Option<Mark> {
    let rest = text[end..].trim_start_matches('\\').trim_start_matches(['"', '\'']);
    let rest = rest.trim_start_matches(' ');
    let is_assigned = rest.starts_with('=');
    if !is_assigned && !rest.starts_with([':', '：']) {
        return None;
    }
    let rest = rest.trim_start_matches(['=', ':', '：', '>']).trim_start_matches(' ');
    Some(Mark { end: text.len() - rest.len(), is_assigned })
}

impl Mark {
    /// Returns where the value lies, in quotes or not, if it is one.
    fn value(self, text: &str, reach: Reach) -> Option<Range<usize>> {
        if reach == Reach::Assigned && !self.is_assigned {
            return None;
        }
        let rest = &text[self.end..];
        let escapes = rest.bytes().take_while(|byte| *byte == b'\\').count();
        let (start, value) = match rest.as_bytes().get(escapes) {
            Some(quote @ (b'"' | b'\'')) => {
                let start = self.end + escapes + 1;
                (start, &text[start..quote_end(text, start, *quote, escapes)])
            }
            _ if reach == Reach::Rest => (self.end, rest.trim_end()),
            _ => (self.end, bare_value(rest, self.is_assigned)),
        };
        let is_secret = !value.bytes().all(|byte| byte == b'*')
            && !matches!(value, "null" | "None" | "none" | "true" | "false" | "undefined");
        is_secret.then(|| start..start + value.len())
    }
}

/// Returns where the quote closes that opened before `start` with `escapes` backslashes: at the
/// next one with no more backslashes than that.
fn quote_end(text: &str, start: usize, quote: u8, escapes: usize) -> usize {
    let mut run = 0;
    for (offset, byte) in text[start..].bytes().enumerate() {
        match byte {
            b'\\' => run += 1,
            _ if byte == quote && run <= escapes => return start + offset - run,
            _ => run = 0,
        }
    }
    text.len()
}

/// Returns the value that opens `rest`, up to a blank, a quote or the next parameter; empty for a
/// placeholder, and behind a colon for what opens a structure or goes on in Chinese.
fn bare_value(rest: &str, is_assigned: bool) -> &str {
    let opens = rest.starts_with(['{', '[', '(', '<']);
    if !is_assigned && (opens || !rest.starts_with(|first: char| first.is_ascii())) {
        return "";
    }
    let ends = |character: char| {
        character.is_whitespace()
            || matches!(character, '"' | '\'' | '`' | '&' | ';')
            || is_cjk_mark(character)
    };
    let run = &rest[..rest.find(ends).unwrap_or(rest.len())];
    if opens && run.len() <= MAX_PLACEHOLDER && run.ends_with(['}', ']', ')', '>']) {
        return "";
    }
    run.trim_end_matches(['.', ',', ':', '!', ')', ']', '}', '>'])
}

/// Returns whether `name` ends in `end`, without case, `-` and `_`.
fn ends_in(name: &str, end: &str) -> bool {
    let mut letters = name.bytes().rev().filter(|byte| !matches!(byte, b'-' | b'_'));
    end.bytes().rev().all(|byte| letters.next().is_some_and(|own| own.eq_ignore_ascii_case(&byte)))
}

pub(super) fn ends_with_word(text: &str, word: &str) -> bool {
    let tail = text.len().checked_sub(word.len()).and_then(|start| text.get(start..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word))
}
