//! Exact bytes, the way back, foreign statuses, hostile bytes.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::Lang;

fn foreign_with(code: &'static str, name: &'static str, value: &'static str) -> Error {
    let mut headers = HeaderMap::new();
    headers.insert(STATUS, HeaderValue::from_static(code));
    headers.insert(name, HeaderValue::from_static(value));
    from_trailers(&headers).unwrap()
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

fn assert_same(read: &Error, written: &Error) {
    assert_eq!(read.kind(), written.kind());
    assert_eq!(read.errcode(), written.errcode());
    assert_eq!(read.message(), written.message());
    assert_eq!(read.advice(), written.advice());
    assert_eq!(read.request_id(), written.request_id());
    assert_eq!(read.param(), written.param());
}

#[test]
fn writes_status_message_pushback_and_request_id() {
    let error = Error::new(ErrorKind::RateLimited)
        .with_message("50% 太快")
        .with_retry_after(Duration::from_micros(1_500_001))
        .with_request_id("req-1");
    let trailers = trailers(&error);
    assert_eq!(trailers["grpc-status"], "8");
    assert_eq!(trailers["grpc-message"], "50%25%20%E5%A4%AA%E5%BF%AB");
    assert_eq!(trailers["grpc-retry-pushback-ms"], "1501");
    assert_eq!(trailers["x-request-id"], "req-1");
    assert!(!trailers["grpc-status-details-bin"].as_bytes().contains(&b'='));
}

/// The bytes that Google's own library writes for the message in the comments.
#[test]
fn details_are_the_bytes_of_google_rpc_status() {
    let error = Error::new(ErrorKind::StreamBusy)
        .with_message("busy")
        .with_retry_after(Duration::new(1, 5));
    let mut expected = Vec::<u8>::new();
    // code: 10, message: "busy"
    expected.extend(b"\x08\x0a\x12\x04busy");
    // details { type_url: ".../google.rpc.ErrorInfo" value { ... } }
    expected.extend(b"\x1a\x73\x0a\x28type.googleapis.com/google.rpc.ErrorInfo\x12\x47");
    // reason: "STREAM_BUSY", domain: "kimi"
    expected.extend(b"\x0a\x0bSTREAM_BUSY\x12\x04kimi");
    // metadata { key: "errcode" value: "-2005" }, metadata { key: "type" value: "chat..." }
    expected.extend(b"\x1a\x10\x0a\x07errcode\x12\x05-2005");
    expected.extend(b"\x1a\x20\x0a\x04type\x12\x18chat.user_stream_pushing");
    // details { type_url: ".../google.rpc.RetryInfo" value { retry_delay { 1 s, 5 ns } } }
    expected.extend(b"\x1a\x32\x0a\x28type.googleapis.com/google.rpc.RetryInfo");
    expected.extend(b"\x12\x06\x0a\x04\x08\x01\x10\x05");
    assert_eq!(details(&error), expected);
}

#[test]
fn a_code_that_clients_retry_is_pushed_back_for_good_when_retrying_is_in_vain() {
    let pushback = |kind| trailers(&Error::new(kind)).get(PUSHBACK).cloned();
    assert_eq!(pushback(ErrorKind::QuotaExhausted).unwrap(), "-1");
    assert_eq!(pushback(ErrorKind::UsageLimited).unwrap(), "-1");
    assert_eq!(pushback(ErrorKind::Validation), None);
    assert_eq!(pushback(ErrorKind::TokenExpired), None);
    assert_eq!(pushback(ErrorKind::Unavailable), None);
}

#[test]
fn a_trailers_only_answer_is_http_200() {
    let response = trailers_only(&Error::new(ErrorKind::TokenExpired));
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    assert_eq!(response.headers()["grpc-status"], "16");
    assert!(response.extensions().get::<Error>().is_some());
    assert_eq!(from_trailers(response.headers()).unwrap().kind(), ErrorKind::TokenExpired);
}

#[test]
fn success_and_silence_are_no_errors() {
    assert!(from_trailers(&HeaderMap::new()).is_none());
    let mut headers = HeaderMap::new();
    headers.insert(STATUS, HeaderValue::from_static("0"));
    assert!(from_trailers(&headers).is_none());
}

/// Kind and advice of each code alone. Statuses and retrying as Connect and gRPC advise.
#[test]
fn foreign_codes_are_classified() {
    let table = [
        ("1", 499, "never"),
        ("2", 500, "backoff"),
        ("3", 400, "never"),
        ("4", 504, "backoff"),
        ("5", 404, "never"),
        ("6", 409, "never"),
        ("7", 403, "never"),
        ("8", 429, "backoff"),
        ("9", 400, "never"),
        ("10", 409, "backoff"),
        ("11", 400, "never"),
        ("12", 501, "never"),
        ("13", 500, "backoff"),
        ("14", 503, "backoff"),
        ("15", 500, "never"),
        ("16", 401, "after_refresh"),
        ("17", 500, "backoff"),
        ("-1", 500, "backoff"),
        ("banana", 500, "backoff"),
    ];
    for (code, status, advice) in table {
        let error = foreign_with(code, "grpc-message", "gone%20%E9%94%99%ZZ");
        assert_eq!(error.status(), status, "{code}");
        assert_eq!(error.advice().name(), advice, "{code}");
        assert_eq!(error.message(), "gone 错%ZZ", "{code}");
    }
}

#[test]
fn a_foreign_pushback_is_obeyed() {
    let wait = |value| foreign_with("14", "grpc-retry-pushback-ms", value).advice();
    assert_eq!(wait("250"), RetryAdvice::Backoff { after: Some(Duration::from_millis(250)) });
    assert_eq!(wait("-1"), RetryAdvice::Never);
    assert_eq!(wait("soon"), RetryAdvice::Never);
    assert_eq!(foreign_with("16", "grpc-retry-pushback-ms", "-1").advice().name(), "after_refresh");
}

#[test]
fn foreign_details_give_wait_reason_and_request_id() {
    // Padded and of another domain; code 14, ErrorInfo, RetryInfo of 2 s and RequestInfo.
    let mut status = vec![0x08, 14];
    for (name, message) in [
        ("google.rpc.ErrorInfo", &b"\x0a\x04BUSY\x12\x0bexample.com"[..]),
        ("google.rpc.RetryInfo", b"\x0a\x02\x08\x02"),
        ("google.rpc.RequestInfo", b"\x0a\x05req-7"),
    ] {
        let mut any = Vec::new();
        crate::protobuf::write_bytes(1, format!("type.googleapis.com/{name}").as_bytes(), &mut any);
        crate::protobuf::write_bytes(2, message, &mut any);
        crate::protobuf::write_bytes(3, &any, &mut status);
    }
    let text = base64::engine::general_purpose::STANDARD.encode(&status);
    let mut headers = HeaderMap::new();
    headers.insert(STATUS, HeaderValue::from_static("14"));
    headers.insert(DETAILS, HeaderValue::try_from(text).unwrap());
    let error = from_trailers(&headers).unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
    assert_eq!(error.request_id(), Some("req-7"));
    assert_eq!(error.received().unwrap().error_type.as_deref(), Some("BUSY"));

    // A status that was rewritten on the way no longer goes with its details.
    headers.insert(STATUS, HeaderValue::from_static("13"));
    let error = from_trailers(&headers).unwrap();
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::RequestFailed, None));
}

#[test]
fn the_longest_error_stays_within_what_clients_read() {
    let message = "错".repeat(2000);
    let error = Error::new(ErrorKind::ConcurrencyLimited)
        .with_message(message)
        .with_param(&"p".repeat(128))
        .with_request_id(&"r".repeat(128))
        .with_errcode(i32::MIN)
        .with_advice(RetryAdvice::AfterReset {
            at: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::MAX >> 1)),
        })
        .with_retry_after(Duration::MAX);
    let response = trailers_only(&error);
    let whole = size(response.headers()) + ":status200".len() + 32;
    assert!(whole <= 8192, "{whole}");
    assert_same(&from_trailers(response.headers()).unwrap(), &error);
}

/// Any error that the public constructors make.
fn error() -> impl Strategy<Value = Error> {
    let advice = prop_oneof![
        Just(RetryAdvice::Never),
        Just(RetryAdvice::BACKOFF),
        Just(RetryAdvice::AfterRefresh),
        Just(RetryAdvice::AfterStream),
        prop::option::of(0_u64..1 << 40).prop_map(|seconds| RetryAdvice::AfterReset {
            at: seconds.and_then(|s| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(s))),
        }),
    ];
    (
        prop::sample::select(ErrorKind::ALL),
        any::<bool>(),
        prop::option::of("\\PC{1,60}"),
        prop::option::of(any::<i32>()),
        prop::option::of(advice),
        prop::option::of((0_u64..1 << 32, 0_u32..1_000_000_000)),
        prop::option::of("[A-Za-z0-9]{1,40}"),
    )
        .prop_map(|(kind, english, message, errcode, advice, wait, id)| {
            let mut error = Error::new(kind);
            if english {
                error = error.with_lang(Lang::En);
            }
            if let Some(message) = message {
                error = error.with_message(message);
            }
            if let Some(errcode) = errcode {
                error = error.with_errcode(errcode);
            }
            if let Some(advice) = advice {
                error = error.with_advice(advice);
            }
            if let Some((seconds, nanos)) = wait {
                error = error.with_retry_after(Duration::new(seconds, nanos));
            }
            if let Some(id) = id {
                error = error.with_request_id(&id).with_param(&id);
            }
            error
        })
}

proptest! {
    #[test]
    fn prop_the_way_back_gives_the_same_error(error in error()) {
        let trailers = trailers(&error);
        prop_assert!(size(&trailers) <= 8192);
        assert_same(&from_trailers(&trailers).unwrap(), &error);
    }

    #[test]
    fn prop_hostile_details_never_panic(
        code in 0_u8..20,
        details in prop::collection::vec(any::<u8>(), 0..300),
        message in prop::collection::vec(any::<u8>(), 0..100),
        pushback in "\\PC{0,12}",
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(STATUS, HeaderValue::from(u16::from(code)));
        insert_ascii(&mut headers, DETAILS, BASE64.encode(&details));
        insert_ascii(&mut headers, PUSHBACK, pushback);
        if let Ok(message) = HeaderValue::from_bytes(&message) {
            headers.insert(MESSAGE, message);
        }
        prop_assert_eq!(from_trailers(&headers).is_none(), code == 0);
    }

    /// Mutated from real details, so that the messages within are reached.
    #[test]
    fn prop_damaged_details_never_panic(
        error in error(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = details(&error);
        for (index, byte) in damage {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let code = error.kind().grpc_code();
        let read = read(code, "", &bytes, &HeaderMap::new());
        prop_assert!(read.message().len() <= 4096);
    }

    #[test]
    fn prop_raw_header_bytes_never_panic(
        fields in prop::collection::vec((0_usize..5, prop::collection::vec(0_u8.., 0..64)), 0..5),
    ) {
        let names = [STATUS, MESSAGE, DETAILS, PUSHBACK, REQUEST_ID];
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(&names[name], value);
            }
        }
        let _ = from_trailers(&headers);
    }
}
