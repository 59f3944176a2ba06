//! What is waited for between two attempts, and how the next begins.

use std::task::{Context, Poll, ready};

use http::{Request, Response, header::HeaderValue, request::Parts};
use kimi_errors::{BoxError, Error, ErrorKind};
use tokio::time::Instant;
use tower_service::Service;

use super::{
    RETRY_COUNT, ResponseBody, Stop, attempts::Attempts, budget::Withdrawal, cool_down::Held,
    failure::Failed,
};
use crate::replay::{Replay, ReplayBody};

/// What is waited for between two attempts, or before the first.
pub(super) struct Pause<S, B, R> {
    pub(super) next: Next<B, R>,
    /// When the waiting ends; `None` when that time has come, and the service is waited for.
    pub(super) until: Option<Instant>,
    pub(super) spare: Spare<S, B>,
}

/// Why an attempt does not begin, and the error of a request that has no answer.
pub(super) type Unbegun = (Stop, Error);

pub(super) enum Next<B, R> {
    /// The request, as it came, and its place among those that wait.
    First(Request<ReplayBody<B>>, Held),
    /// A retry, what it costs, and what the caller gets if there is none.
    Retry(Failed<R>, Withdrawal),
}

/// What a next attempt is made of.
pub(super) struct Spare<S, B> {
    /// Polled ready before each attempt.
    pub(super) service: S,
    pub(super) head: Parts,
    pub(super) replay: Replay<B>,
}

impl<S, B, R> Pause<S, B, R>
where
    S: Service<Request<ReplayBody<B>>>,
    S::Error: Into<BoxError>,
{
    /// Waits until the attempt may begin, or returns why there is none.
    pub(super) fn poll(
        &mut self,
        attempts: &mut Attempts<S, B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Unbegun>> {
        while let Some(until) = self.until {
            ready!(attempts.clock.poll_until(until, cx));
            self.until = match &self.next {
                // Of those who waited for the same, one may have been told to wait again.
                Next::First(..) => attempts.shared.cool_down_end(&self.spare.head),
                // It was told itself.
                Next::Retry(..) => None,
            };
            if let Some(end) = self.until {
                match attempts.hold_until(end) {
                    Ok(until) => self.until = Some(until),
                    Err(refused) => return Poll::Ready(Err(refused)),
                }
            }
        }
        match self.spare.service.poll_ready(cx) {
            // The wait may have ended late.
            Poll::Ready(Ok(())) if attempts.is_late(Instant::now()) => {
                Poll::Ready(Err((Stop::Deadline, Error::new(ErrorKind::Timeout))))
            }
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => {
                Poll::Ready(Err((Stop::NotReady, Error::from(error.into()))))
            }
            // What it waits for may be what the answer keeps busy.
            Poll::Pending if !self.next.is_free() => {
                Poll::Ready(Err((Stop::NotReady, Error::new(ErrorKind::Unavailable))))
            }
            Poll::Pending => match attempts.deadline() {
                Some(deadline) => {
                    ready!(attempts.clock.poll_until(deadline, cx));
                    Poll::Ready(Err((Stop::Deadline, Error::new(ErrorKind::Timeout))))
                }
                None => Poll::Pending,
            },
        }
    }

    /// Begins the attempt, when the service is ready. If the body cannot be had again, returns what
    /// the caller gets.
    pub(super) fn begin(self, attempts: &mut Attempts<S, B>) -> Result<S::Future, Box<Failed<R>>> {
        let Self { next, mut spare, .. } = self;
        let (failed, withdrawal) = match next {
            Next::First(request, _held) => {
                attempts.begin();
                let future = spare.service.call(request);
                attempts.keep(spare);
                return Ok(future);
            }
            Next::Retry(failed, withdrawal) => (failed, withdrawal),
        };
        let Some(body) = spare.replay.again() else { return Err(Box::new(failed)) };
        // What it kept busy may be needed now.
        drop(failed);
        withdrawal.spend();
        let (count, may_repeat) = attempts.begin();
        if may_repeat {
            let request = retry(spare.head.clone(), body, count - 1);
            let future = spare.service.call(request);
            attempts.keep(spare);
            return Ok(future);
        }
        // The last takes what was kept.
        let Spare { mut service, head, replay } = spare;
        drop(replay);
        attempts.keep_of_last(&head);
        Ok(service.call(retry(head, body, count - 1)))
    }
}

impl<B, R> Next<B, R> {
    /// Returns what the caller gets if it does not come to it.
    pub(super) fn into_result(self, error: Error) -> Result<Response<ResponseBody<R>>, Error> {
        match self {
            Self::First(..) => Err(error),
            Self::Retry(failed, _) => failed.into_result(),
        }
    }

    /// Returns whether nothing of the inner service is kept busy meanwhile.
    fn is_free(&self) -> bool {
        match self {
            Self::First(..) => true,
            Self::Retry(failed, _) => failed.is_over(),
        }
    }
}

/// Returns the request of a retry.
fn retry<B>(mut head: Parts, body: ReplayBody<B>, retries: u32) -> Request<ReplayBody<B>> {
    head.headers.insert(RETRY_COUNT, HeaderValue::from(retries));
    Request::from_parts(head, body)
}

/// The error of a request that would have to wait too long for its first attempt.
#[cold]
pub(super) fn refusal(end: Instant) -> Error {
    let wait = end.saturating_duration_since(Instant::now());
    Error::new(ErrorKind::RateLimited).with_retry_after(wait)
}
