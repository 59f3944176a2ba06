//! The protobuf messages in `grpc-status-details-bin`.
//!
//! ```text
//! google.rpc.Status      { int32 code = 1; string message = 2; repeated Any details = 3 }
//! google.protobuf.Any    { string type_url = 1; bytes value = 2 }
//! google.rpc.ErrorInfo   { string reason = 1; string domain = 2; map<string, string> metadata = 3 }
//! google.rpc.RetryInfo   { Duration retry_delay = 1 }
//! google.rpc.RequestInfo { string request_id = 1 }
//! Duration               { int64 seconds = 1; int32 nanos = 2 }
//! ```
//!
//! An entry of a map is a message with its key as field 1 and its value as field 2.

use std::time::{Duration, SystemTime};

use crate::{
    Error, ErrorKind, GrpcCode, RetryAdvice,
    protobuf::{Value, field, fields, write_bytes, write_varint},
};

/// Tells our reasons from those of others.
const DOMAIN: &str = "kimi";
/// The longest `param` that travels, in bytes; JSON Pointers of real requests are a tenth of it.
const MAX_PARAM: usize = 128;
/// The longest wait, in seconds: the limit of `google.protobuf.Duration`, 10 000 years.
const MAX_SECONDS: u64 = 315_576_000_000;

/// What a `google.rpc.Status` says beyond its code.
#[derive(Debug, Default)]
pub(super) struct Details<'a> {
    pub(super) message: Option<&'a str>,
    /// The reason of the first `ErrorInfo`, ours or not.
    pub(super) reason: Option<&'a str>,
    /// The error of our own `ErrorInfo`, without its message and wait.
    pub(super) info: Option<Error>,
    pub(super) wait: Option<Duration>,
    pub(super) request_id: Option<&'a str>,
}

pub(super) fn write(error: &Error) -> Vec<u8> {
    let mut status = Vec::with_capacity(256 + error.message().len());
    write_varint(1, u64::from(error.kind().grpc_code().number()), &mut status);
    write_bytes(2, error.message().as_bytes(), &mut status);
    write_any("google.rpc.ErrorInfo", &error_info(error), &mut status);
    let is_retried = !matches!(error.advice(), RetryAdvice::Never);
    if let Some(wait) = error.retry_after().filter(|_| is_retried) {
        let mut retry_info = Vec::new();
        write_bytes(1, &duration(wait), &mut retry_info);
        write_any("google.rpc.RetryInfo", &retry_info, &mut status);
    }
    status
}

/// Reads what there is; what is broken is as good as absent. Details of another code than the
/// status' own are not believed: a proxy has rewritten one of them.
pub(super) fn read(code: GrpcCode, status: &[u8]) -> Details<'_> {
    let mut details = Details::default();
    let mut own_code = 0;
    for field in fields(status) {
        match field {
            (1, Value::Varint(number)) => own_code = number,
            (2, value) => details.message = value.text(),
            (3, Value::Bytes(any)) => read_any(any, &mut details),
            _ => {}
        }
    }
    if own_code == u64::from(code.number()) { details } else { Details::default() }
}

fn error_info(error: &Error) -> Vec<u8> {
    let advice = error.overrides().advice;
    let reset_at = match error.advice() {
        RetryAdvice::AfterReset { at } => at.and_then(unix_seconds),
        _ => None,
    };
    let mut info = Vec::with_capacity(192);
    write_bytes(1, error.kind().name().to_ascii_uppercase().as_bytes(), &mut info);
    write_bytes(2, DOMAIN.as_bytes(), &mut info);
    let mut write_entry = |key: &str, value: &str| {
        let mut entry = Vec::with_capacity(4 + key.len() + value.len());
        write_bytes(1, key.as_bytes(), &mut entry);
        write_bytes(2, value.as_bytes(), &mut entry);
        write_bytes(3, &entry, &mut info);
    };
    write_entry("errcode", &error.errcode().to_string());
    write_entry("type", error.kind().platform_type());
    if let Some(advice) = advice {
        write_entry("advice", advice.name());
    }
    if let Some(seconds) = reset_at {
        write_entry("reset_at", &seconds.to_string());
    }
    if let Some(param) = error.param().filter(|param| param.len() <= MAX_PARAM) {
        write_entry("param", param);
    }
    if let Some(request_id) = error.request_id() {
        write_entry("request_id", request_id);
    }
    info
}

fn write_any(name: &str, message: &[u8], status: &mut Vec<u8>) {
    let mut any = Vec::with_capacity(64 + message.len());
    write_bytes(1, format!("type.googleapis.com/{name}").as_bytes(), &mut any);
    write_bytes(2, message, &mut any);
    write_bytes(3, &any, status);
}

fn read_any<'a>(any: &'a [u8], details: &mut Details<'a>) {
    let name = field(any, 1).and_then(Value::text).and_then(|url| url.rsplit('/').next());
    let Some(message) = field(any, 2).and_then(Value::bytes) else { return };
    match name {
        Some("google.rpc.ErrorInfo") if details.info.is_none() => read_info(message, details),
        Some("google.rpc.RetryInfo") => {
            details.wait = field(message, 1).and_then(Value::bytes).and_then(read_duration);
        }
        Some("google.rpc.RequestInfo") => {
            details.request_id = field(message, 1).and_then(Value::text).or(details.request_id);
        }
        _ => {}
    }
}

fn read_info<'a>(info: &'a [u8], details: &mut Details<'a>) {
    let reason = field(info, 1).and_then(Value::text);
    details.reason = details.reason.or(reason);
    let is_ours = field(info, 2).and_then(Value::text) == Some(DOMAIN);
    let kind = reason.and_then(|name| ErrorKind::from_name(&name.to_ascii_lowercase()));
    let Some(kind) = kind.filter(|_| is_ours) else { return };
    let mut error = Error::new(kind);
    let mut reset_at = None;
    for (_, entry) in fields(info).filter(|(number, _)| *number == 3) {
        let Some(entry) = entry.bytes() else { continue };
        let key = field(entry, 1).and_then(Value::text);
        let Some(value) = field(entry, 2).and_then(Value::text) else { continue };
        error = match key {
            Some("errcode") => with(error, value.parse().ok(), Error::with_errcode),
            Some("advice") => with(error, RetryAdvice::from_name(value), Error::with_advice),
            Some("param") if value.len() <= MAX_PARAM => error.with_param(value),
            Some("reset_at") => {
                reset_at = value.parse().ok();
                error
            }
            Some("request_id") => {
                details.request_id = Some(value);
                error
            }
            _ => error,
        };
    }
    let at = reset_at
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    if at.is_some() && matches!(error.advice(), RetryAdvice::AfterReset { .. }) {
        error = error.with_advice(RetryAdvice::AfterReset { at });
    }
    details.info = Some(error);
}

fn with<T>(error: Error, value: Option<T>, set: impl FnOnce(Error, T) -> Error) -> Error {
    match value {
        Some(value) => set(error, value),
        None => error,
    }
}

fn duration(wait: Duration) -> Vec<u8> {
    let wait = wait.min(Duration::from_secs(MAX_SECONDS));
    let mut duration = Vec::with_capacity(16);
    write_varint(1, wait.as_secs(), &mut duration);
    write_varint(2, u64::from(wait.subsec_nanos()), &mut duration);
    duration
}

/// A negative number is a very large varint, so that the limit refuses it too.
fn read_duration(duration: &[u8]) -> Option<Duration> {
    let number = |of| match field(duration, of) {
        Some(Value::Varint(number)) => Some(number),
        Some(Value::Bytes(_)) => None,
        None => Some(0),
    };
    let seconds = number(1).filter(|seconds| *seconds <= MAX_SECONDS)?;
    let nanos = number(2).filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, u32::try_from(nanos).ok()?))
}

/// Returns whole seconds, rounded up: a reset is never told too early.
fn unix_seconds(at: SystemTime) -> Option<u64> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since.as_secs().saturating_add(u64::from(since.subsec_nanos() != 0)))
}
