use std::{error::Error as StdError, fmt, time::Duration};

use http::{
    Response,
    header::{DATE, HeaderValue},
    request::Parts,
};
use kimi_errors::{BoxError, Error, ErrorKind, Fault, RetryAdvice, Wait, chain, retry_after};

use super::{ResponseBody, SHOULD_RETRY};

/// What is known of whether the service has acted on a request that failed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Safety {
    /// The request did not reach the service: connecting failed, or the service was not ready.
    NeverSent,
    /// The service said that it did not do it, or had not begun to answer.
    Refused,
    /// Nobody knows. It may have been done.
    Unknown,
}

/// What one's own [rule](super::RetryPolicy::with_rule) decides.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Decision {
    /// The caller gets the answer or the error.
    GiveUp,
    /// The request is sent again, whatever advice and safety say, if the limits allow it.
    Retry,
}

/// A failed attempt, as one's own [rule](super::RetryPolicy::with_rule) sees it.
pub struct Failure<'a> {
    pub(super) error: &'a Error,
    pub(super) safety: Safety,
    pub(super) is_answer: bool,
    pub(super) retries: u32,
    pub(super) head: &'a Parts,
}

impl Failure<'_> {
    /// Returns what the answer was read as, or the error of the inner service.
    #[must_use]
    pub const fn error(&self) -> &Error {
        self.error
    }

    /// Returns whether the service can have acted on the request.
    #[must_use]
    pub const fn safety(&self) -> Safety {
        self.safety
    }

    /// Returns whether the upstream answered.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        self.is_answer
    }

    /// Returns how many retries there have been.
    #[must_use]
    pub const fn retries(&self) -> u32 {
        self.retries
    }

    /// Returns the head of the request. Its `Debug` may show a credential.
    #[must_use]
    pub const fn head(&self) -> &Parts {
        self.head
    }
}

impl fmt::Debug for Failure<'_> {
    /// Shows nothing of the request but its method: the rest may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("error", &self.error)
            .field("safety", &self.safety)
            .field("is_answer", &self.is_answer)
            .field("retries", &self.retries)
            .field("method", &self.head.method)
            .finish_non_exhaustive()
    }
}

/// A failed attempt, and what the caller gets if it was the last.
#[derive(Debug)]
pub(super) struct Failed<R> {
    pub(super) error: Error,
    pub(super) safety: Safety,
    /// `None` if there is only the error.
    pub(super) answer: Option<Response<ResponseBody<R>>>,
}

impl<R> Failed<R> {
    /// An error of the inner service.
    #[cold]
    pub(super) fn inner(error: BoxError) -> Self {
        let error = Error::from(error);
        let safety = safety_of(&error);
        Self { error, safety, answer: None }
    }

    /// An attempt that took too long.
    #[cold]
    pub(super) fn timed_out() -> Self {
        let error = Error::new(ErrorKind::Timeout);
        Self { error, safety: Safety::Unknown, answer: None }
    }

    /// Returns whether the upstream answered, here or within a layer that read its answer.
    pub(super) fn is_answer(&self) -> bool {
        self.answer.is_some() || is_answer(&self.error)
    }

    /// Returns whether the answer keeps nothing of the inner service busy.
    pub(super) fn is_over(&self) -> bool {
        self.answer.as_ref().is_none_or(|answer| answer.body().is_over())
    }

    /// Returns whether the error itself says that another try can help.
    pub(super) fn is_hopeful(&self) -> bool {
        match self.error.advice() {
            RetryAdvice::Backoff { .. } | RetryAdvice::AfterStream => true,
            // Whether that is soon enough is for the hint's cap to say.
            RetryAdvice::AfterReset { at } => at.is_some(),
            _ => false,
        }
    }

    /// Returns how long the server asks to wait, if it does.
    pub(super) fn hint(&self) -> Option<Duration> {
        match self.error.advice() {
            RetryAdvice::AfterReset { at: Some(at) } => {
                let by_our_clock = Wait::At(at).remaining();
                Some(by_our_clock.max(self.wait_since_sent().unwrap_or_default()))
            }
            _ => self.error.retry_after(),
        }
    }

    /// Returns how long the answer asks to wait by the clock that its own `date` shows.
    fn wait_since_sent(&self) -> Option<Duration> {
        let headers = self.answer.as_ref()?.headers();
        let wait = headers.contains_key(DATE).then(|| retry_after(headers))?;
        wait.map(Wait::remaining)
    }

    /// Returns whether the service asks for less, rather than being broken.
    pub(super) fn is_throttled(&self) -> bool {
        let kind = self.error.kind();
        kind.fault() == Fault::Quota
            || matches!(kind, ErrorKind::Overloaded | ErrorKind::StreamBusy)
    }

    /// Tells whoever stands outside not to try again what was tried enough.
    pub(super) fn discourage(mut self) -> Self {
        match &mut self.answer {
            Some(answer) => {
                let never = HeaderValue::from_static("false");
                answer.headers_mut().insert(SHOULD_RETRY, never);
            }
            None => {
                let hint = self.error.retry_after();
                let error = self.error.with_advice(RetryAdvice::Never);
                self.error = match hint {
                    Some(hint) => error.with_retry_after(hint),
                    None => error,
                };
            }
        }
        self
    }

    pub(super) fn into_result(self) -> Result<Response<ResponseBody<R>>, Error> {
        self.answer.ok_or(self.error)
    }
}

fn is_answer(error: &Error) -> bool {
    error.received().is_some_and(|received| received.status.is_some())
}

/// Returns the safety of an error answer.
pub(super) const fn safety_of_answer(kind: ErrorKind) -> Safety {
    match kind {
        // Said by whoever stands between: what became of the request behind it, it does not know.
        ErrorKind::BadGateway | ErrorKind::Timeout => Safety::Unknown,
        _ => Safety::Refused,
    }
}

/// Returns whether an answer that a layer within has read broke with it.
#[cfg(feature = "raise-error")]
fn is_of_broken_answer(error: &Error) -> bool {
    chain::find::<crate::raise_error::Interrupted>(error).is_some()
}

#[cfg(not(feature = "raise-error"))]
const fn is_of_broken_answer(_: &Error) -> bool {
    false
}

/// Returns the safety of an error of the inner service.
fn safety_of(error: &Error) -> Safety {
    // What an answer has broken with says nothing of its request, which arrived.
    if chain::is_never_sent(error) && !is_of_broken_answer(error) {
        return Safety::NeverSent;
    }
    if is_answer(error) {
        return safety_of_answer(error.kind());
    }
    // An error without a source was made by one of our layers, of which these refuse a request
    // before it is sent.
    let is_refusal = matches!(
        error.kind(),
        ErrorKind::ConcurrencyLimited
            | ErrorKind::Overloaded
            | ErrorKind::RateLimited
            | ErrorKind::StreamBusy
            | ErrorKind::Unavailable
    );
    if is_refusal && error.source().is_none() { Safety::Refused } else { Safety::Unknown }
}

#[cfg(test)]
mod tests {
    use std::{io, time::UNIX_EPOCH};

    use super::*;

    fn failed(error: impl Into<BoxError>) -> Failed<()> {
        Failed::inner(error.into())
    }

    #[test]
    fn an_error_is_as_safe_as_what_is_known_of_it() {
        let io = |kind| BoxError::from(io::Error::from(kind));
        assert_eq!(failed(io(io::ErrorKind::ConnectionRefused)).safety, Safety::NeverSent);
        assert_eq!(failed(io(io::ErrorKind::ConnectionReset)).safety, Safety::Unknown);
        assert_eq!(failed("boom").safety, Safety::Unknown);
        for kind in ErrorKind::ALL.iter().copied() {
            // Our own layers refuse before they send.
            let is_ours = matches!(
                kind,
                ErrorKind::ConcurrencyLimited
                    | ErrorKind::Overloaded
                    | ErrorKind::RateLimited
                    | ErrorKind::StreamBusy
                    | ErrorKind::Unavailable
            );
            let expected = if is_ours { Safety::Refused } else { Safety::Unknown };
            assert_eq!(failed(Error::new(kind)).safety, expected, "{kind}");
            let broken = Error::new(kind).with_source(io::Error::other("cut"));
            assert_eq!(failed(broken).safety, Safety::Unknown, "{kind}");
            // The answer of an upstream, which a layer within has read.
            let body = kimi_errors::Dialect::Errcode.response(&Error::new(kind));
            let raised = kimi_errors::decode(body.status(), body.headers(), body.body()).unwrap();
            let is_between = matches!(kind, ErrorKind::BadGateway | ErrorKind::Timeout);
            let expected = if is_between { Safety::Unknown } else { Safety::Refused };
            assert_eq!(failed(raised.clone()).safety, expected, "{kind}");
            assert!(failed(raised).is_answer());
        }
        assert_eq!(Failed::<()>::timed_out().safety, Safety::Unknown);
    }

    #[test]
    fn hope_is_advice_that_names_no_unknown_time() {
        let of = |advice| failed(Error::new(ErrorKind::UsageLimited).with_advice(advice));
        let at = UNIX_EPOCH + Duration::from_secs(100);
        for (advice, is_hopeful, has_hint) in [
            (RetryAdvice::NEVER, false, false),
            (RetryAdvice::AFTER_REFRESH, false, false),
            (RetryAdvice::AFTER_RESET, false, false),
            (RetryAdvice::BACKOFF, true, false),
            (RetryAdvice::AFTER_STREAM, true, false),
            (RetryAdvice::AfterReset { at: Some(at) }, true, true),
            (RetryAdvice::Backoff { after: Some(Duration::from_secs(1)) }, true, true),
        ] {
            let failed = of(advice);
            assert_eq!((failed.is_hopeful(), failed.hint().is_some()), (is_hopeful, has_hint));
        }
    }
}
