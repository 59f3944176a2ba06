use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use tokio::time::Instant;
use tower_service::Service;

use super::{
    ResponseBody, RetryLayer, attempts::Attempts, future::ResponseFuture, pause::Spare,
    shared::Shared,
};
use crate::replay::{Replay, ReplayBody};

/// Tries requests to `S` again when it helps. See the [module](super).
#[derive(Clone, Debug)]
pub struct Retry<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Retry<S> {
    /// Creates the service, which shares the state of `layer`.
    #[must_use]
    pub fn new(inner: S, layer: &RetryLayer) -> Self {
        Self { inner, shared: layer.shared() }
    }

    inner_accessors!();
}

impl<S, B, R> Service<Request<B>> for Retry<S>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = Error;
    type Future = ResponseFuture<S, B, R>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from(error.into()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = &self.shared;
        if shared.policy.max_retries == 0 {
            return ResponseFuture::once(self.inner.call(request.map(ReplayBody::once)));
        }
        let (mut head, body) = request.into_parts();
        if !shared.policy.selects(&head) {
            let request = Request::from_parts(head, ReplayBody::once(body));
            return ResponseFuture::once(self.inner.call(request));
        }
        let cool_down_end = shared.cool_down_end(&head);
        shared.add_key(&mut head);
        let (body, replay) = Replay::new(body, &shared.policy.replay);
        let service = self.inner.clone();
        let spare = Spare { service, head: head.clone(), replay };
        let attempts = Attempts::new(Arc::clone(shared), spare);
        let request = Request::from_parts(head, body);
        match cool_down_end {
            // The polled instance itself is called; the clone waits for a failure.
            None => ResponseFuture::begun(self.inner.call(request), attempts),
            Some(end) => self.hold(request, attempts, end),
        }
    }
}

impl<S: Clone> Retry<S> {
    /// Lets a request wait for its first attempt.
    #[cold]
    fn hold<B, R>(
        &mut self,
        request: Request<ReplayBody<B>>,
        mut attempts: Attempts<S, B>,
        end: Instant,
    ) -> ResponseFuture<S, B, R>
    where
        S: Service<Request<ReplayBody<B>>>,
    {
        // Nobody else waits for what this one had been promised by being ready.
        self.inner = self.inner.clone();
        match attempts.hold(request, end) {
            Ok(pause) => ResponseFuture::held(attempts, pause),
            Err((stop, error)) => {
                attempts.stop(stop);
                ResponseFuture::refused(error)
            }
        }
    }
}
