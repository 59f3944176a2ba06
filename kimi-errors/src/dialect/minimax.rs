//! What MiniMax says, with HTTP 200: `{"base_resp":{"status_code":1008,"status_msg":"insufficient
//! balance"}}`. Read only.

use super::platform;
use crate::{
    ErrorKind::{
        ContentFiltered, InvalidCredentials, ParamsInvalid, QuotaExhausted, RateLimited, Timeout,
    },
    decode::{Rule, Verdict, by_word},
};

pub(super) const CODES: &[Rule] = &[
    Rule::on(&["1001"], Timeout),
    Rule::on(&["1002"], RateLimited),
    Rule::on(&["1004"], InvalidCredentials),
    Rule::on(&["1008"], QuotaExhausted),
    Rule::on(&["1026"], ContentFiltered),
    Rule::on(&["1027"], ContentFiltered),
    Rule::on(&["1039"], RateLimited),
    Rule::on(&["2013"], ParamsInvalid),
    Rule::on(&["2049"], InvalidCredentials),
];

/// Returns what a code and its message mean.
pub(crate) fn verdict(code: &str, text: &str, http: Option<u16>) -> Verdict {
    by_word(CODES, code).unwrap_or_else(|| platform::verdict("", "", text, http))
}
