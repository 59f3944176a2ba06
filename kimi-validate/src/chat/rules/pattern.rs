//! The forms that texts must have. A property holds each to its regular expression.

use crate::{chat::table::Pattern, json::Chars};

/// The name of a function: facts, limits of the platform. Its documents differ in how short and how
/// long one may be, from 3 to 64 or from 1 to 128; the widest holds. That of a built-in one begins with
/// a dollar sign, such as `$web_search`.
pub(crate) static FUNCTION_NAME: Pattern = Pattern {
    regex: "^\\$?[a-zA-Z_][a-zA-Z0-9_-]{0,127}$",
    matches: is_function_name,
    zh: "以字母或下划线开头，由字母、数字、下划线和连字符组成，至多128个字符",
    en: "a letter or underscore, then letters, digits, underscores and hyphens, 128 at most",
};

/// A text with anything in it, even if only white space.
pub(crate) static NOT_EMPTY: Pattern = Pattern {
    regex: "^[\\s\\S]",
    matches: |mut chars| chars.next().is_some(),
    zh: "至少一个字符",
    en: "at least one character",
};

/// Where the platform takes an image from: its API reference, facts `plat.image`.
pub(crate) static IMAGE_URL: Pattern = Pattern {
    regex: "^(data:image/|ms://)",
    matches: |chars| starts_with_any(&chars, &["data:image/", "ms://"]),
    zh: "data:image/ 或 ms:// 开头的地址",
    en: "a URL that begins with data:image/ or ms://",
};

/// Where the platform takes a video from: its API reference.
pub(crate) static VIDEO_URL: Pattern = Pattern {
    regex: "^(data:video/|ms://)",
    matches: |chars| starts_with_any(&chars, &["data:video/", "ms://"]),
    zh: "data:video/ 或 ms:// 开头的地址",
    en: "a URL that begins with data:video/ or ms://",
};

fn is_function_name(mut chars: Chars<'_>) -> bool {
    let first = match chars.next() {
        Some('$') => chars.next(),
        first => first,
    };
    first.is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && (&mut chars).take(127).all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-')
        && chars.next().is_none()
}

fn starts_with_any(chars: &Chars<'_>, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| {
        let mut chars = chars.clone();
        prefix.chars().all(|expected| chars.next() == Some(expected))
    })
}
