//! What the head of an answer says of a file.

use http::{HeaderMap, StatusCode, header};

/// Types that a server gives to what it does not know.
const GENERIC: &[&str] = &[
    "application/octet-stream",
    "application/binary",
    "application/download",
    "application/force-download",
    "application/unknown",
    "application/x-download",
    "application/x-octet-stream",
    "binary/octet-stream", // S3's default
    "unknown/unknown",
    "*/*",
];

/// Returns the media type, without parameters, unless there is none or it says nothing.
pub(super) fn media_type(headers: &HeaderMap) -> Option<Box<str>> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let says_something = essence.contains('/') && !GENERIC.contains(&essence.as_str());
    says_something.then(|| essence.into())
}

/// Returns the announced length of the body; none if it is not one plain number, RFC 9110 §8.6.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let length = digits(values.next()?.to_str().ok()?)?;
    values.all(|value| value.to_str().ok().and_then(digits) == Some(length)).then_some(length)
}

/// Returns the length of the whole file, of an answer with a part of it that begins with its first
/// byte, `bytes 0-4095/123456`, or with none, `bytes */0`. RFC 9110 §14.4.
pub(super) fn whole_length(status: StatusCode, headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (unit, range) = value.split_once(' ')?;
    let (part, whole) = range.split_once('/')?;
    let is_first = match status {
        StatusCode::PARTIAL_CONTENT => part.starts_with("0-"),
        _ => part == "*",
    };
    (is_first && unit.eq_ignore_ascii_case("bytes")).then(|| digits(whole)).flatten()
}

/// Returns whether the body is compressed, RFC 9110 §8.4, so that its length is not the file's.
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    // One that is no text is none that we know.
    codings.flat_map(|value| value.to_str().unwrap_or("?").split(',')).any(|coding| {
        let coding = coding.trim();
        !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")
    })
}

/// Returns whether the answer sends elsewhere, RFC 9110 §15.4.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn digits(text: &str) -> Option<u64> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // One that does not fit 64 bits is too large for everybody.
    is_plain.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn fields(name: &header::HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_type_that_says_nothing_is_none() {
        for (value, expected) in [
            ("application/pdf", Some("application/pdf")),
            ("Text/Plain; charset=utf-8", Some("text/plain")),
            (" image/png ", Some("image/png")),
            ("application/octet-stream", None),
            ("Binary/Octet-Stream", None),
            ("", None),
            ("pdf", None),
        ] {
            let found = media_type(&fields(&header::CONTENT_TYPE, &[value]));
            assert_eq!(found.as_deref(), expected, "{value:?}");
        }
        assert_eq!(media_type(&HeaderMap::new()), None);
    }

    #[test]
    fn a_length_is_one_plain_number() {
        for (values, expected) in [
            (&["17"][..], Some(17)),
            (&["17", "17"], Some(17)),
            (&["17", "18"], None),
            (&["17, 17"], None),
            (&[""], None),
            (&["-1"], None),
            (&["+1"], None),
            (&["0x10"], None),
            (&["99999999999999999999"], Some(u64::MAX)),
            (&[], None),
        ] {
            assert_eq!(length(&fields(&header::CONTENT_LENGTH, values)), expected, "{values:?}");
        }
    }

    #[test]
    fn a_part_tells_the_whole_if_it_is_the_first() {
        for (status, value, expected) in [
            (206, "bytes 0-9/100", Some(100)),
            (206, "Bytes 0-0/1", Some(1)),
            (206, "bytes 0-9/*", None),
            (206, "bytes 5-9/100", None),
            (206, "items 0-9/100", None),
            (206, "bytes */100", None),
            (206, "100", None),
            (416, "bytes */0", Some(0)),
            (416, "bytes */*", None),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let found = whole_length(status, &fields(&header::CONTENT_RANGE, &[value]));
            assert_eq!(found, expected, "{status} {value}");
        }
    }

    #[test]
    fn any_coding_but_identity_is_one() {
        for (values, expected) in [
            (&[][..], false),
            (&["identity"], false),
            (&["Identity, "], false),
            (&["gzip"], true),
            (&["identity", "br"], true),
            (&["identity,zstd"], true),
        ] {
            assert_eq!(is_encoded(&fields(&header::CONTENT_ENCODING, values)), expected);
        }
    }
}
