//! The fields of a stranger's head that an answer of ours must carry on, and how much of them.
//!
//! A list, so that no cookie, and none of the fields that name an account (`msh-uid` and its like),
//! can be among them. What is kept is public from then on, so that of each value only what fits the
//! field's grammar stays, and nothing that reads like a credential.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{Error, redact};

/// The longest value that is kept, in bytes; real ones have a tenth of it.
const MAX_VALUE: usize = 1024;

/// Adds the fields to keep; of a field that stands several times, all of them, RFC 9110 §5.3.
pub(super) fn keep(mut error: Error, headers: &HeaderMap) -> Error {
    for name in headers.keys() {
        let Some(read) = reader(name) else { continue };
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let kept: Vec<_> = values.flat_map(elements).filter_map(read).collect();
        let kept = HeaderValue::try_from(kept.join(", ")).ok();
        if let Some(value) = kept.filter(|value| (1..=MAX_VALUE).contains(&value.len())) {
            error = error.with_header(name.clone(), value);
        }
    }
    error
}

/// Returns what is kept of an element of a field.
type Reader = fn(&str) -> Option<&str>;

/// Returns how the elements of a field are read; `None` for a field that is not kept.
fn reader(name: &HeaderName) -> Option<Reader> {
    let is_limit =
        || ["ratelimit", "x-ratelimit-"].iter().any(|start| name.as_str().starts_with(start));
    match *name {
        header::ALLOW => Some(method),
        header::WWW_AUTHENTICATE => Some(challenge),
        _ if is_limit() => Some(clean),
        _ => None,
    }
}

/// Returns what stands between the commas that are not in quotes.
fn elements(value: &str) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    let mut escaped = false;
    let parts = value.split(move |character| {
        let was_escaped = escaped;
        escaped = in_quotes && character == '\\' && !was_escaped;
        in_quotes ^= character == '"' && !was_escaped;
        character == ',' && !in_quotes
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// A method, RFC 9110 §9.1; those that are registered are capital letters and hyphens.
fn method(element: &str) -> Option<&str> {
    let is_method = element.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'-'));
    is_method.then(|| clean(element))?
}

/// A scheme, with or without its first parameter, or a further parameter, RFC 9110 §11.6.1. A
/// parameter that is none, such as a token that is echoed, goes; the scheme stays, since a 401
/// needs one.
fn challenge(element: &str) -> Option<&str> {
    if is_parameter(element) {
        return clean(element);
    }
    let (scheme, rest) = element.split_once(' ').unwrap_or((element, ""));
    let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && redact::is_plain_name(scheme);
    let parameter = rest.trim_start();
    let is_whole = is_parameter(parameter) && clean(parameter).is_some();
    is_scheme.then_some(if is_whole { element } else { scheme })
}

/// Whether `name=value` or `name="value"`.
fn is_parameter(text: &str) -> bool {
    let is_token = |text: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+*".contains(&byte);
        !text.is_empty() && text.bytes().all(is_part)
    };
    text.split_once('=').is_some_and(|(name, value)| {
        is_token(name.trim_end()) && (value.trim_start().starts_with('"') || is_token(value.trim()))
    })
}

fn clean(element: &str) -> Option<&str> {
    let public = redact::public(Cow::Owned(element.to_owned()));
    (public == element).then_some(element)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: HeaderName, value: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static(value))]);
        let error = keep(Error::new(crate::ErrorKind::TokenExpired), &headers);
        error.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_challenge_keeps_its_schemes_and_loses_what_echoes_a_credential() {
        let whole = [
            "Bearer",
            "Bearer, Basic realm=\"x\"",
            "Bearer realm=\"a, \\\"b\\\"\", error=\"invalid_token\", error_description=\"expired\"",
            "Digest realm=x, qop=\"auth\", algorithm=SHA-256",
        ];
        for value in whole {
            assert_eq!(kept(header::WWW_AUTHENTICATE, value).as_deref(), Some(value));
        }
        let cut = [
            ("Bearer sk-0123456789abcdef", Some("Bearer")),
            ("Bearer abcdef==", Some("Bearer")),
            ("Bearer error_description=\"sk-0123456789abcdef\"", Some("Bearer")),
            ("Bearer realm=x, token=abcdef", Some("Bearer realm=x")),
            ("sk-0123456789abcdef", None),
            ("access_token=\"abc\"", None),
        ];
        for (value, expected) in cut {
            assert_eq!(kept(header::WWW_AUTHENTICATE, value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn methods_and_limits_are_kept_if_they_are_some() {
        assert_eq!(
            kept(header::ALLOW, "GET,  POST, M-SEARCH").as_deref(),
            Some("GET, POST, M-SEARCH")
        );
        assert_eq!(kept(header::ALLOW, "GET, /v1?a=b").as_deref(), Some("GET"));
        let limit = HeaderName::from_static("ratelimit");
        let value = "\"default\";r=0;t=30, \"day\";r=5;t=600";
        assert_eq!(kept(limit.clone(), value).as_deref(), Some(value));
        assert_eq!(kept(limit, "Bearer abcdef"), None);
        assert_eq!(kept(header::SET_COOKIE, "a=b"), None);
    }
}
