//! What the local server of Kimi Code says: `{"code":40901,"msg":"…","data":null,"request_id":"…"}`,
//! mostly with HTTP 200. Read only.

use super::{platform, status};
use crate::{
    ErrorKind::{
        Conflict, FileTooLarge, InvalidCredentials, NotFound, ParamsInvalid, QuotaExhausted,
        RateLimited, RequestFailed, StreamBusy, System, Timeout, TokenExpired, Validation,
    },
    decode::{Rule, Verdict, by_word},
};

pub(super) const CODES: &[Rule] = &[
    Rule::on(&["40001"], Validation),
    Rule::on(&["40002"], Validation),
    Rule::on(&["40003"], ParamsInvalid),
    Rule::on(&["40101"], TokenExpired),
    Rule::on(&["40110"], InvalidCredentials),
    Rule::on(&["40111"], InvalidCredentials),
    Rule::on(&["40112"], InvalidCredentials),
    Rule::on(&["40113"], NotFound),
    Rule::on(&["40401"], NotFound),
    Rule::on(&["40901"], StreamBusy),
    Rule::on(&["40902"], Conflict),
    Rule::on(&["40922"], ParamsInvalid),
    // An approval that nobody gave within 60 s; asking again asks the same person.
    Rule::on(&["41001"], Timeout).never(),
    Rule::on(&["41302"], FileTooLarge),
    // Ten failed logins in 60 s close the door for 60 s.
    Rule::on(&["42901"], RateLimited).after_reset(),
    Rule::on(&["42902"], QuotaExhausted),
    Rule::on(&["50001"], System),
    Rule::on(&["50003"], System),
    // A tool may have acted before it failed.
    Rule::on(&["60001"], RequestFailed).never(),
    Rule::on(&["60002"], NotFound),
];

/// Returns what a code and its message mean.
pub(crate) fn verdict(code: &str, text: &str, http: Option<u16>) -> Verdict {
    by_word(CODES, code).unwrap_or_else(|| match code.parse::<u16>().ok().map(|code| code / 100) {
        // The first three digits are an HTTP status.
        Some(said @ 400..=599) => status::verdict(said),
        _ => match code.as_bytes() {
            // 7xxxx is a model's text, 8xxxx an MCP server's: a stranger's error in ours.
            [b'7' | b'8', _, _, _, _] => platform::verdict("", "", text, None),
            _ => platform::verdict("", "", text, http),
        },
    })
}
