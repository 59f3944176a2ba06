//! What kimi.com says over the Connect protocol. Read only.
//!
//! Unary: `{"code":"unauthenticated","message":"…","details":[{"type":…,"value":"<base64>","debug":{…}}]}`.
//! Streams: frames of a flags byte, a big-endian length of four bytes, and JSON; the last one has
//! flag 2 and holds `{"error":{…}}`, or `{}` if all went well.

use base64::Engine as _;

use super::platform;
use crate::{
    ErrorKind, GrpcCode, RetryAdvice,
    decode::{Rule, Verdict, by_word},
    protobuf::{BASE64, Value, field},
    scan::{Members, Raw},
};

const END_OF_STREAM: u8 = 2;
const COMPRESSED: u8 = 1;

const REASONS: &[Rule] = &[
    Rule::on(&["REASON_INVALID_AUTH_TOKEN"], ErrorKind::TokenExpired),
    Rule::on(&["REASON_FEATURE_NO_PERMISSION"], ErrorKind::PermissionDenied),
];

/// Returns what a code, the reason in a detail, and the texts of both mean.
pub(crate) fn verdict(code: &str, reason: &str, texts: [&str; 2]) -> Option<Verdict> {
    let code = GrpcCode::from_connect(code)?;
    let said = || texts.into_iter().find_map(|text| platform::said(text, is_fault(code)));
    Some(by_word(REASONS, reason).or_else(said).unwrap_or_else(|| by_code(code)))
}

/// Returns what a code means on its own.
pub(crate) fn by_code(code: GrpcCode) -> Verdict {
    let kind = match code {
        GrpcCode::Cancelled => ErrorKind::Cancelled,
        GrpcCode::InvalidArgument => ErrorKind::Validation,
        GrpcCode::FailedPrecondition | GrpcCode::OutOfRange => ErrorKind::ParamsInvalid,
        GrpcCode::DeadlineExceeded => ErrorKind::Timeout,
        GrpcCode::NotFound => ErrorKind::NotFound,
        GrpcCode::AlreadyExists => ErrorKind::Conflict,
        // Lost against another operation: read again, and try again.
        GrpcCode::Aborted => {
            return Verdict::of(ErrorKind::Conflict).advising(RetryAdvice::BACKOFF);
        }
        GrpcCode::PermissionDenied => ErrorKind::PermissionDenied,
        GrpcCode::ResourceExhausted => ErrorKind::RateLimited,
        GrpcCode::Unimplemented => ErrorKind::NotImplemented,
        GrpcCode::Unavailable => ErrorKind::Unavailable,
        GrpcCode::Unauthenticated => ErrorKind::TokenExpired,
        // What is lost stays lost.
        GrpcCode::DataLoss => return Verdict::of(ErrorKind::System).advising(RetryAdvice::NEVER),
        GrpcCode::Ok | GrpcCode::Unknown | GrpcCode::Internal => ErrorKind::System,
    };
    Verdict::of(kind)
}

fn is_fault(code: GrpcCode) -> bool {
    matches!(code, GrpcCode::Unknown | GrpcCode::Internal | GrpcCode::Unavailable)
}

/// Returns the JSON of a stream's last frame, if it stands in `body` and is not compressed; of a
/// frame that was cut, as much as there is. `None` within is a stream that has not ended here, the
/// outer `None` a body that is no such stream.
pub(crate) fn last_frame(body: &[u8]) -> Option<Option<&[u8]>> {
    let mut rest = body;
    loop {
        let [flags, a, b, c, d, tail @ ..] = rest else {
            return (rest.len() < body.len()).then_some(None);
        };
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
        let is_frame = *flags <= (END_OF_STREAM | COMPRESSED)
            && (flags & COMPRESSED != 0 || tail.is_empty() || tail[0] == b'{');
        if !is_frame {
            return (rest.len() < body.len()).then_some(None);
        }
        if flags & END_OF_STREAM != 0 {
            let json = &tail[..length.min(tail.len())];
            return Some((flags & COMPRESSED == 0).then_some(json));
        }
        let Some(next) = tail.get(length..) else { return Some(None) };
        rest = next;
    }
}

/// The reason and the text for the user in a list of details.
#[derive(Debug, Default)]
pub(crate) struct Detail {
    pub(crate) reason: String,
    pub(crate) message: String,
}

/// Reads the first of `details`: its `debug` in JSON, else its `value`, base64 of protobuf.
pub(crate) fn detail(details: Raw<'_>) -> Detail {
    let mut detail = Detail::default();
    let Some(first) = details.bytes.strip_prefix(b"[") else { return detail };
    let Some(mut members) = Members::new(first.trim_ascii_start()) else { return detail };
    let mut value = None;
    while let Some(key) = members.next_key() {
        match &*key {
            "value" => value = members.value().text(),
            "debug" => read_debug(members.value(), &mut detail),
            _ => {}
        }
    }
    if detail.message.is_empty()
        && let Some(message) = value.and_then(|value| message(&value))
    {
        detail.message = message;
    }
    detail
}

/// Reads `{"reason":"REASON_…","localizedMessage":{"locale":"zh-CN","message":"…"}}`.
fn read_debug(debug: Raw<'_>, detail: &mut Detail) {
    let Some(mut members) = Members::new(debug.bytes) else { return };
    while let Some(key) = members.next_key() {
        match &*key {
            "reason" => {
                detail.reason = members.value().text().unwrap_or_default().into_owned();
            }
            "localizedMessage" => {
                let localized = member(members.value(), "message").and_then(Raw::text);
                detail.message = localized.unwrap_or_default().into_owned();
            }
            _ => {}
        }
    }
}

/// Returns the value of a member of an object.
fn member<'a>(object: Raw<'a>, name: &str) -> Option<Raw<'a>> {
    let mut members = Members::new(object.bytes)?;
    while let Some(key) = members.next_key() {
        if key == name {
            return Some(members.value());
        }
    }
    None
}

/// Reads field 2 of field 2 of `common.error.v1.ErrorDetail`: the text for the user.
fn message(value: &str) -> Option<String> {
    let bytes = BASE64.decode(value).ok()?;
    let localized = field(&bytes, 2).and_then(Value::bytes)?;
    field(localized, 2).and_then(Value::text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field 1 = 300, field 2 = {1: "zh-CN", 2: "聊天的人太多"}.
    const DETAIL: &str = "CKwCEhsKBXpoLUNOEhLogYrlpKnnmoTkurrlpKrlpJo=";

    #[test]
    fn the_text_for_the_user_is_read_from_protobuf() {
        assert_eq!(message(DETAIL).as_deref(), Some("聊天的人太多"));
        assert_eq!(message(DETAIL.trim_end_matches('=')).as_deref(), Some("聊天的人太多"));
    }

    #[test]
    fn protobuf_that_was_cut_or_forged_says_nothing() {
        let bytes = BASE64.decode(DETAIL).unwrap();
        for end in 0..bytes.len() {
            assert_eq!(message(&base64::engine::Engine::encode(&BASE64, &bytes[..end])), None);
        }
        for forged in ["", "!", "EgA=", "Ev//////////fw==", "////////////////"] {
            assert_eq!(message(forged), None, "{forged}");
        }
    }

    #[test]
    fn frames_are_told_from_text() {
        let end = b"\0\0\0\0\x02{}\x02\0\0\0\x02{}";
        assert_eq!(last_frame(end), Some(Some(&b"{}"[..])));
        assert_eq!(last_frame(&end[..7]), Some(None), "the stream goes on");
        assert_eq!(last_frame(b"\x03\0\0\0\x02??"), Some(None), "compressed");
        assert_eq!(last_frame(b"\x02\0\0\xff\xff{\"a"), Some(Some(&b"{\"a"[..])), "cut");
        assert_eq!(last_frame(b"plain text"), None);
        assert_eq!(last_frame(b""), None);
    }
}
