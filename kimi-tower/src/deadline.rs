//! By when a request is to be answered.

use std::time::Duration;

use http::{HeaderName, request::Parts};
use tokio::time::Instant;

/// By when the head of the answer is wanted: stands in a request's extensions, for layers that
/// would let it wait. Whoever sets a limit of time around a stack puts it there.
///
/// ```
/// use std::time::Duration;
/// use http::Request;
/// use kimi_tower::deadline::Deadline;
/// use tokio::time::Instant;
///
/// let deadline = Deadline::at(Instant::now() + Duration::from_secs(30));
/// let request = Request::get("/").extension(deadline).body(())?;
/// assert_eq!(Deadline::of(&request.into_parts().0), Some(deadline));
/// # Ok::<_, http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Deadline(Instant);

impl Deadline {
    /// Returns the deadline at that time.
    #[must_use]
    pub const fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// Returns when it is.
    #[must_use]
    pub const fn instant(self) -> Instant {
        self.0
    }

    /// Returns the deadline of a request: the earlier of the one in its extensions and that of its
    /// field `grpc-timeout`, counted from now.
    ///
    /// ```text
    /// grpc-timeout: 250m
    /// ```
    #[must_use]
    pub fn of(head: &Parts) -> Option<Self> {
        let set = head.extensions.get::<Self>().copied();
        let asked = head.headers.get(GRPC_TIMEOUT).and_then(|value| timeout(value.as_bytes()));
        let asked = asked.and_then(|timeout| Instant::now().checked_add(timeout)).map(Self);
        match (set, asked) {
            (Some(set), Some(asked)) => Some(set.min(asked)),
            (set, asked) => set.or(asked),
        }
    }
}

/// How long a gRPC client waits: 1 to 8 digits and a unit, gRPC over HTTP/2, "Requests".
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Reads a `grpc-timeout`; `None` if it is none.
fn timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_timeout_of_grpc_is_digits_and_a_unit() {
        for (text, expected) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("250m", Some(Duration::from_millis(250))),
            ("4u", Some(Duration::from_micros(4))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("", None),
            ("S", None),
            ("5", None),
            ("-5S", None),
            ("5 S", None),
            ("5s", None),
            ("123456789S", None),
        ] {
            assert_eq!(timeout(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_deadline_counts() {
        let deadline = |set: Option<u64>, grpc: &str| {
            let mut request = Request::get("/").header("grpc-timeout", grpc).body(()).unwrap();
            let set = set.map(|set| Deadline::at(Instant::now() + Duration::from_secs(set)));
            request.extensions_mut().extend(set.map(one).unwrap_or_default());
            let left = Deadline::of(&request.into_parts().0)?.instant() - Instant::now();
            Some(left.as_secs())
        };
        assert_eq!(deadline(None, "x"), None);
        assert_eq!(deadline(None, "9S"), Some(9));
        assert_eq!(deadline(Some(5), "9S"), Some(5));
        assert_eq!(deadline(Some(15), "9S"), Some(9));
        assert_eq!(deadline(Some(15), "x"), Some(15));
    }

    fn one(deadline: Deadline) -> http::Extensions {
        let mut extensions = http::Extensions::new();
        extensions.insert(deadline);
        extensions
    }
}
