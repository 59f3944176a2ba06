//! The flat form of OAuth: `{"error":"slow_down","error_description":"…"}`. Read only.
//!
//! Words of RFC 6749 §5.2, RFC 6750 §3.1 and RFC 8628 §3.5.

use super::platform;
use crate::{
    ErrorKind::{
        InvalidCredentials, ParamsInvalid, PermissionDenied, RateLimited, TokenExpired, Unavailable,
    },
    decode::{Rule, Verdict, by_word},
};

pub(super) const WORDS: &[Rule] = &[
    // The user has not answered yet: not an end, so that the poll goes on.
    Rule::on(&["authorization_pending"], InvalidCredentials).backoff(),
    // RFC 8628 §3.5: the interval grows by 5 s.
    Rule::on(&["slow_down"], RateLimited).after_secs(5),
    // The device code has expired, not a token: only the user can begin again.
    Rule::on(&["expired_token"], InvalidCredentials),
    Rule::on(&["access_denied"], InvalidCredentials),
    Rule::on(&["invalid_grant"], InvalidCredentials),
    Rule::on(&["invalid_client"], InvalidCredentials),
    Rule::on(&["invalid_token"], TokenExpired),
    Rule::on(&["insufficient_scope"], PermissionDenied),
    Rule::on(&["unauthorized_client"], PermissionDenied),
    Rule::on(&["unsupported_grant_type"], ParamsInvalid),
    Rule::on(&["invalid_scope"], ParamsInvalid),
    Rule::on(&["temporarily_unavailable"], Unavailable),
];

/// Returns what an `error` word and its description mean.
pub(crate) fn verdict(word: &str, text: &str, http: Option<u16>) -> Verdict {
    by_word(WORDS, word).unwrap_or_else(|| platform::verdict("", word, text, http))
}
