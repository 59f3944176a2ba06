//! The trace that a request belongs to, by W3C Trace Context.

use std::fmt;

use http::{HeaderName, HeaderValue};

/// The field that has it.
pub(super) static TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// What `traceparent` says: W3C Trace Context, level 1 §3.2.
///
/// ```text
/// traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
///              version, trace id, id of the caller's span, flags
/// ```
///
/// The field is passed on as it came. One that is not well formed, or of which an id is all zeros,
/// is taken for none: §3.2.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TraceParent {
    trace_id: u128,
    parent_id: u64,
    flags: u8,
}

impl TraceParent {
    /// Reads the field of a head.
    #[inline]
    pub(super) fn of(value: &HeaderValue) -> Option<Self> {
        Self::parse(value.as_bytes())
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let (known, rest) = value.split_at_checked(55)?;
        let [version, trace_id, parent_id, flags] =
            [&known[..2], &known[3..35], &known[36..52], &known[53..]];
        // A later version may have more behind the flags, version 00 has not; ff is none.
        let is_whole = match version {
            b"00" => rest.is_empty(),
            b"ff" => false,
            _ => rest.is_empty() || rest[0] == b'-',
        };
        if !is_whole || [2, 35, 52].iter().any(|at| known[*at] != b'-') {
            return None;
        }
        hex(version)?;
        let trace_id = hex(trace_id).filter(|id| *id != 0)?;
        let parent_id = u64::try_from(hex(parent_id)?).ok().filter(|id| *id != 0)?;
        let flags = u8::try_from(hex(flags)?).ok()?;
        Some(Self { trace_id, parent_id, flags })
    }

    /// Returns the id of the trace.
    #[must_use]
    pub const fn trace_id(self) -> u128 {
        self.trace_id
    }

    /// Returns the id of the span that has sent the request.
    #[must_use]
    pub const fn parent_id(self) -> u64 {
        self.parent_id
    }

    /// Returns whether the caller records the trace.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.flags & 1 == 1
    }
}

/// As it stands in the field, in version 00.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, self.flags)
    }
}

/// Reads lowercase hexadecimal digits, at most 32.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_well_formed_one_is_read_and_written_back() {
        let read = TraceParent::parse(KNOWN.as_bytes()).unwrap();
        assert_eq!(read.trace_id(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(read.parent_id(), 0x00f0_67aa_0ba9_02b7);
        assert!(read.is_sampled());
        assert_eq!(read.to_string(), KNOWN);
    }

    #[test]
    fn of_a_later_version_what_is_known_is_read() {
        for text in [KNOWN.replacen("00", "01", 1), KNOWN.replacen("00", "cc", 1) + "-what-ever"] {
            assert!(TraceParent::parse(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            String::new(),
            KNOWN[1..].to_owned(),
            KNOWN.to_uppercase(),
            format!("{KNOWN}-00"),
            format!("{KNOWN} "),
            KNOWN.replacen("00", "ff", 1),
            KNOWN.replacen("00", "0g", 1),
            KNOWN.replacen('-', "_", 1),
            KNOWN.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            KNOWN.replace("00f067aa0ba902b7", &"0".repeat(16)),
            format!("{}.x", KNOWN.replacen("00", "01", 1)),
        ] {
            assert_eq!(TraceParent::parse(text.as_bytes()), None, "{text}");
        }
    }
}
