//! What kimi.com says: `{"error_type":"chat.user_stream_pushing","message":"…","detail":"…"}`, and
//! `{"event":"error","error":{…}}` or `{"event":"length"}` inside a stream. Read only.

use super::platform;
use crate::{
    ErrorKind::{
        ContentFiltered, LengthLimit, NotFound, Overloaded, PermissionDenied, RequestFailed,
        StreamBusy, System, TokenExpired,
    },
    decode::{Rule, Verdict, by_word},
};

/// Texts, which kimi-free-api hands on without their types.
pub(super) const TEXTS: &[Rule] = &[
    Rule::on(&["授权已过期"], TokenExpired),
    Rule::on(&["invalid user token"], TokenExpired),
    Rule::on(&["已有对话流正在输出"], StreamBusy),
    Rule::on(&["找不到指定的会话"], NotFound),
    Rule::on(&["此会话已被禁用"], PermissionDenied),
    Rule::on(&["do not have permission to use this feature"], PermissionDenied),
    Rule::on(&["和Kimi聊天的人太多了"], Overloaded),
    Rule::on(&["服务内部错误"], System),
];

pub(super) const TYPES: &[Rule] = &[
    Rule::on(&["auth.token.invalid"], TokenExpired),
    Rule::on(&["chat.user_stream_pushing"], StreamBusy),
    Rule::on(&["chat.not_found"], NotFound),
    Rule::on(&["chat.forbidden"], PermissionDenied),
];

/// Returns what an `error_type` and its message mean.
pub(crate) fn verdict(error_type: &str, text: &str, http: Option<u16>) -> Verdict {
    by_word(TYPES, error_type).unwrap_or_else(|| platform::verdict("", error_type, text, http))
}

/// Returns what an event that ends the stream means. `error` is how kimi.com stops an answer that
/// its moderation dislikes, unless the message says something else.
pub(crate) fn event(event: &str, text: &str) -> Verdict {
    match event {
        "length" => Verdict::of(LengthLimit),
        "error" => platform::said(text, true).unwrap_or(Verdict::of(ContentFiltered)),
        _ => Verdict::of(RequestFailed),
    }
}
