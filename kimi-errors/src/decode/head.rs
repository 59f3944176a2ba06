//! What the head of a stranger's answer adds to its body.

use http::{HeaderMap, HeaderName};

use super::{Answer, Form, Verdict, kept};
use crate::{
    Error, ErrorKind, RetryAdvice, clock,
    dialect::head::{self, REQUEST_ID, SHOULD_RETRY},
    wait::{self, Wait},
};

/// Fields that hold the id of the request: everybody's, then the three of Kimi's services.
const REQUEST_IDS: [HeaderName; 4] = [
    REQUEST_ID,
    HeaderName::from_static("msh-request-id"),
    HeaderName::from_static("x-msh-trace-id"),
    HeaderName::from_static("x-trace-id"),
];

/// Returns what `x-kimi-error` says, if the body fits it: a proxy may have put another there.
pub(super) fn exact(headers: &HeaderMap, answer: &Answer<'_>, status: u16) -> Option<Verdict> {
    let exact = head::read(headers)?;
    let errcode = exact.errcode.unwrap_or(exact.kind.errcode());
    let fits = match answer.form {
        Form::Errcode | Form::FreeApi => answer.errcode == Some(errcode),
        Form::Platform => answer.own == Some(exact.kind),
        // The answer to a HEAD request.
        Form::Empty => status == exact.status.unwrap_or(exact.kind.status()),
        _ => false,
    };
    let verdict = Verdict::of(exact.kind).with_errcode(errcode).exactly(exact.status);
    fits.then(|| exact.advice.map_or(verdict, |advice| verdict.advising(advice)))
}

/// Adds what the head says to what the body said.
pub(super) fn merge(mut error: Error, headers: &HeaderMap) -> Error {
    if headers.is_empty() {
        return error;
    }
    for name in REQUEST_IDS.iter().rev() {
        if let Some(id) = headers.get(name).and_then(|id| id.to_str().ok()) {
            error = error.with_request_id(id);
        }
    }
    kept::keep(with_should_retry(with_wait(error, headers), headers), headers)
}

fn with_wait(error: Error, headers: &HeaderMap) -> Error {
    let wait = || match error.kind() {
        // The state of a limit is a wait for those who have run into it.
        ErrorKind::RateLimited | ErrorKind::ConcurrencyLimited => wait::retry_after(headers),
        _ => wait::explicit(headers),
    };
    match error.advice() {
        RetryAdvice::AfterReset { at: None } => match wait::reset(headers, clock::now()) {
            Some(at) => error.with_advice(RetryAdvice::AfterReset { at: Some(at) }),
            None => error,
        },
        RetryAdvice::Backoff { after } => {
            // A hint is a floor, so that of two the higher one holds.
            let head = wait().map(Wait::remaining);
            if head > after {
                error.with_advice(RetryAdvice::Backoff { after: head })
            } else {
                error
            }
        }
        _ => match wait() {
            Some(wait) => error.with_wait_of_at_least(wait.remaining()),
            None => error,
        },
    }
}

fn with_should_retry(error: Error, headers: &HeaderMap) -> Error {
    let says = |value: &str| headers.get(SHOULD_RETRY).is_some_and(|said| said == value);
    let is_quota = matches!(
        error.kind(),
        ErrorKind::UsageLimited | ErrorKind::ResearchLimit | ErrorKind::QuotaExhausted
    );
    match error.advice() {
        // Not of a reset: our own answers say `false` beside its time, for clients that would not
        // wait for it.
        RetryAdvice::Backoff { .. } | RetryAdvice::AfterStream
            if says("false") || wait::asks_for_end(headers) =>
        {
            error.with_advice(RetryAdvice::NEVER)
        }
        // A used-up quota stays used up, whatever a proxy says.
        RetryAdvice::Never if says("true") && !is_quota => {
            let after = error.retry_after();
            error.with_advice(RetryAdvice::Backoff { after })
        }
        _ => error,
    }
}
