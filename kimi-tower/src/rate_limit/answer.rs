//! What is made of an answer.

use std::error::Error as _;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body::Body;
use kimi_errors::{Error, ErrorKind, chain::is_never_sent, grpc};

use super::{
    ResponseBody,
    body::{Throttle, Tokens},
    limiter::After,
    store::RateStore,
    upstream,
};
use crate::body::usage::UsageTap;

impl<R: RateStore> After<R> {
    /// Takes notice of an answer, and writes into its head what is left.
    pub(super) fn finish<B: Body<Data = Bytes>>(
        self,
        answer: Result<Response<B>, Error>,
    ) -> Result<Response<ResponseBody<B, R>>, Error> {
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(self.failed(error)),
        };
        // Before ours are written, which are none of the upstream's.
        let throttled = self.observe_head(&answer);
        if let Some(policy) = self.limiter.policy(self.grant.plan) {
            policy.write(&self.grant.levels, None, answer.headers_mut());
        }
        let counts_tokens = self.limiter.plan(self.grant.plan).counts_tokens();
        if throttled.is_none() && !counts_tokens {
            return Ok(answer.map(ResponseBody::untouched));
        }
        Ok(self.watched(answer, throttled, counts_tokens))
    }

    /// The request was refused, or nobody knows what became of it.
    #[cold]
    fn failed(self, error: Error) -> Error {
        if is_refusal(&error) {
            self.settle_tokens(0);
        }
        if self.limiter.follows_upstream {
            self.observe(&upstream::told_by(&error));
        }
        match self.limiter.policy(self.grant.plan) {
            Some(policy) => policy.write_error(&self.grant.levels, None, error),
            None => error,
        }
    }

    /// Takes notice of what the head says of the upstream's limits. Returns the fields of a 429 that
    /// does not say there how long to wait, since its body may.
    fn observe_head<B>(&self, answer: &Response<B>) -> Option<HeaderMap> {
        if !self.limiter.follows_upstream {
            return None;
        }
        let told = upstream::told(answer.status(), answer.headers());
        self.observe(&told);
        let is_open = answer.status() == StatusCode::TOO_MANY_REQUESTS && told.pause.is_none();
        is_open.then(|| answer.headers().clone())
    }

    #[inline(never)]
    fn watched<B: Body<Data = Bytes>>(
        self,
        answer: Response<B>,
        throttled: Option<HeaderMap>,
        counts_tokens: bool,
    ) -> Response<ResponseBody<B, R>> {
        let is_refused = is_refused(&answer);
        if is_refused {
            self.settle_tokens(0);
        }
        let (head, body) = answer.into_parts();
        let tap = UsageTap::of(&head.headers);
        let body = if let Some(headers) = throttled {
            ResponseBody::throttle(body, Throttle::new(self, head.status, headers))
        } else if let Some(tap) = tap.filter(|_| counts_tokens && !is_refused) {
            ResponseBody::tokens(body, Tokens::new(self, tap))
        } else {
            ResponseBody::untouched(body)
        };
        Response::from_parts(head, body)
    }
}

/// Returns whether an answer says by its head that nothing was done: by its status, or because one of
/// ours, or gRPC, says so.
///
/// Whoever answers 502 or 504 has lost the one behind it, who may have done all of it.
fn is_refused<B>(answer: &Response<B>) -> bool {
    let status = answer.status();
    if let Some(error) = answer.extensions().get::<Error>() {
        return is_refusal(error);
    }
    let is_lost = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT);
    status.is_client_error()
        || status.is_server_error() && !is_lost
        || grpc::from_trailers(answer.headers()).is_some_and(|error| is_refusal(&error))
}

/// Returns whether an error says that nothing was done.
fn is_refusal(error: &Error) -> bool {
    match error.kind() {
        // Somebody has given up waiting, or has lost who was at work.
        ErrorKind::BadGateway
        | ErrorKind::Timeout
        | ErrorKind::Cancelled
        | ErrorKind::StreamTruncated => is_never_sent(error),
        // Of these the ones with a source are of an exchange that broke, unless it never began.
        ErrorKind::System | ErrorKind::RequestFailed => {
            let is_told = error.received().is_some() || error.source().is_none();
            is_told || is_never_sent(error)
        }
        _ => true,
    }
}
