//! The id of a request.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use http::{HeaderName, HeaderValue};
use kimi_errors::{Error, ErrorKind};

/// The field that has it, as OpenAI and most proxies name it.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest that is accepted, in characters. Ours: a UUID has 36, and a line of a log is no
/// place to store things.
const MAX_CHARS: usize = 64;

/// The id of a request: its caller's, or a UUID of version 7.
///
/// A caller's is accepted if it is 1 to 64 characters of `A-Z a-z 0-9 - _ .` and does not read like
/// a credential. It can forge neither a head field nor a line of a log.
#[derive(Clone, Eq, PartialEq)]
pub struct RequestId(Form);

#[derive(Clone, Eq, PartialEq)]
enum Form {
    Given(HeaderValue),
    /// In characters, which are asked for more often than they are made.
    Made(Characters),
}

/// Aligned, since whether bytes are a text is looked at word by word.
#[derive(Clone, Eq, PartialEq)]
#[repr(align(16))]
struct Characters([u8; 36]);

impl RequestId {
    /// Returns the id that a field has, if it is accepted.
    #[inline]
    pub(super) fn given(value: &HeaderValue) -> Option<Self> {
        is_sane(value).then(|| Self(Form::Given(value.clone())))
    }

    /// Makes a new one: RFC 9562 §5.7, with 74 bits of a keyed hash behind the milliseconds. No call
    /// of the system is made for it.
    pub(crate) fn made(at: SystemTime) -> Self {
        // The key comes from the system's source, once. A keyed hash of a count does not repeat, and
        // one id does not tell the next.
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        // `Relaxed`, since it orders nothing.
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Relaxed);
        let random = [KEY.hash_one(number), KEY.hash_one(!number)];
        Self::of_parts(at, random)
    }

    fn of_parts(at: SystemTime, [first, second]: [u64; 2]) -> Self {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        // The version after 48 bits of time, then the variant in front of the last 62 bits.
        let high = milliseconds << 16 | 0x7000 | first & 0x0fff;
        let low = 1 << 63 | second >> 2;
        let number = u128::from(high) << 64 | u128::from(low);
        Self(Form::Made(Characters(uuid(number))))
    }

    /// Returns its characters.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = match &self.0 {
            Form::Given(value) => value.as_bytes(),
            Form::Made(Characters(bytes)) => bytes,
        };
        // All are ASCII.
        str::from_utf8(bytes).unwrap_or_default()
    }

    /// Returns the value of the field.
    pub(crate) fn to_value(&self) -> Option<HeaderValue> {
        match &self.0 {
            Form::Given(value) => Some(value.clone()),
            Form::Made(Characters(bytes)) => HeaderValue::from_bytes(bytes).ok(),
        }
    }
}

/// Returns 8-4-4-4-12 hexadecimal digits.
fn uuid(number: u128) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    /// Where the two digits of each byte stand.
    const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let mut text = [b'-'; 36];
    for (byte, at) in number.to_be_bytes().into_iter().zip(PLACES) {
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

/// Returns whether an id may stand in heads and logs.
pub(super) fn is_sane(value: &HeaderValue) -> bool {
    let value = value.as_bytes();
    if !(1..=MAX_CHARS).contains(&value.len()) {
        return false;
    }
    // As UUIDs are. No credential is.
    if value.len() <= 36 && value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') {
        return true;
    }
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    value.iter().all(is_token) && str::from_utf8(value).is_ok_and(is_no_credential)
}

/// Asks who decides it for errors, in whose answers the id will stand.
#[cold]
fn is_no_credential(id: &str) -> bool {
    Error::new(ErrorKind::System).with_request_id(id).request_id().is_some()
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::*;

    fn given(value: &[u8]) -> Option<String> {
        let value = HeaderValue::from_bytes(value).unwrap();
        RequestId::given(&value).map(|id| id.to_string())
    }

    #[test]
    fn a_callers_id_is_taken_if_it_is_sane() {
        for id in ["1", "req-7", "a.b_C-9", "0193-abc", &"x-".repeat(32)] {
            assert_eq!(given(id.as_bytes()).as_deref(), Some(id));
        }
        for id in [
            "",
            " ",
            "a b",
            "a\"b",
            "a{b",
            "a;b=c",
            "\tx",
            "月",
            &"x".repeat(65),
            "sk-0123456789abcdef",
        ] {
            assert_eq!(given(id.as_bytes()), None, "{id:?}");
        }
    }

    /// RFC 9562, appendix A.6.
    #[test]
    fn a_uuid_is_that_of_the_standard() {
        let at = UNIX_EPOCH + Duration::from_millis(0x017F_22E2_79B0);
        let id = RequestId::of_parts(at, [0x0cc3, 0x18C4_DC0C_0C07_398F << 2]);
        assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        assert_eq!(id.to_value().unwrap(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn no_two_are_the_same() {
        let ids: HashSet<_> =
            (0..10_000).map(|_| RequestId::made(UNIX_EPOCH).to_string()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
