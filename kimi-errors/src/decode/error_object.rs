//! Reads what stands inside `{"error":{…}}` and `"details":[…]`.

use std::{borrow::Cow, time::Duration};

use super::{Answer, Form, form::http_status};
use crate::{
    ErrorKind, GrpcCode,
    dialect::connect,
    scan::{Members, Raw},
    wait,
};

/// Reads an `error` object; without a type, a message or a code that is bad it is none.
pub(super) fn read_error<'a>(object: Raw<'a>, answer: &mut Answer<'a>) {
    let Some(mut members) = Members::new(object.bytes) else { return };
    let (mut message, mut details, mut is_good) = (None, None, false);
    while let Some(key) = members.next_key() {
        match &*key {
            "message" | "msg" => message = members.value().text(),
            "type" | "error_type" => answer.error_type = members.value().text(),
            "code" => {
                let code = members.value();
                answer.code = code.word();
                is_good = code.is_good_code() && code.is_text() && !code.is_zero();
                answer.status = code.integer().and_then(http_status);
            }
            // MiniMax's `{"status_code":1008,"status_msg":"…"}`, with 0 and a text if all is well.
            "status_code" => {
                let code = members.value();
                answer.code = code.word();
                is_good = code.is_zero();
                answer.form = Form::MiniMax;
            }
            "status_msg" => message = members.value().text(),
            "param" => answer.param = members.value().text(),
            "request_id" => answer.request_id = members.value().text(),
            "errcode" => {
                answer.errcode = members.value().integer().and_then(|code| code.try_into().ok());
            }
            "details" => details = Some(members.value()),
            _ => {}
        }
    }
    let code = answer.code.as_deref().unwrap_or_default();
    let error_type = answer.error_type.as_deref().unwrap_or_default();
    let is_silent =
        code.bytes().all(|byte| byte == b'0') && message.as_deref().unwrap_or_default().is_empty();
    if error_type.is_empty() && (is_silent || is_good) {
        answer.code = None;
        answer.form = Form::default();
        return;
    }
    answer.message = message.or(answer.message.take());
    if answer.form == Form::MiniMax {
        return;
    }
    answer.form = Form::Platform;
    answer.own = ErrorKind::from_name(code).filter(|kind| kind.platform_type() == error_type);
    if answer.own.is_none() && error_type.is_empty() && GrpcCode::from_connect(code).is_some() {
        answer.form = Form::Connect;
        read_details(details, answer);
    } else if let Some(details) = details {
        answer.wait = retry_delay(details);
    }
}

/// Returns the wait in Google's `[{"@type":"…/google.rpc.RetryInfo","retryDelay":"33s"}]`.
fn retry_delay(details: Raw<'_>) -> Option<Duration> {
    let mut longest = None;
    let mut next = details.bytes.strip_prefix(b"[");
    while let Some(rest) = next {
        let rest = rest.trim_ascii_start();
        let detail = Raw::first(rest);
        let Some(mut members) = Members::new(detail.bytes) else { break };
        while let Some(key) = members.next_key() {
            if key == "retryDelay" {
                let named = members.value().text().and_then(|text| wait::in_seconds(&text));
                longest = longest.max(named);
            }
        }
        next = rest[detail.bytes.len()..].trim_ascii_start().strip_prefix(b",");
    }
    longest
}

/// Reads the details of a Connect error, whose text is the one meant for people.
pub(super) fn read_details<'a>(details: Option<Raw<'a>>, answer: &mut Answer<'a>) {
    let Some(details) = details else { return };
    let detail = connect::detail(details);
    if !detail.reason.is_empty() {
        answer.error_type = Some(Cow::Owned(detail.reason));
    }
    if !detail.message.is_empty() {
        answer.subtext = answer.message.replace(Cow::Owned(detail.message));
    }
}
