use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::Request;
use http_body::Body;
use kimi_errors::{BoxError, Error};
use tower_service::Service;

use super::{
    ChatCompletions, RequestBody, Select, ValidateLayer,
    check::Check,
    collect::Collect,
    future::{Reading, ResponseFuture},
};

/// Refuses chat requests that are not well formed. See the [module](super).
#[derive(Clone, Debug)]
pub struct Validate<S, P = ChatCompletions> {
    inner: S,
    check: Check,
    select: P,
}

impl<S, P> Validate<S, P> {
    /// Creates the service.
    #[must_use]
    pub fn new(inner: S, layer: ValidateLayer<P>) -> Self {
        let (check, select) = layer.into_parts();
        Self { inner, check, select }
    }

    inner_accessors!();
}

impl<S, P, ReqBody> Service<Request<ReqBody>> for Validate<S, P>
where
    S: Service<Request<RequestBody<ReqBody>>> + Clone,
    S::Error: Into<BoxError>,
    P: Select,
    ReqBody: Body<Data = Bytes> + Unpin,
    ReqBody::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody, S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| error.into().into())
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (head, body) = request.into_parts();
        if !self.select.selects(&head) {
            // Nothing is awaited between readiness and here: the polled instance itself is called.
            let request = Request::from_parts(head, RequestBody::untouched(body));
            return ResponseFuture::called(self.inner.call(request));
        }
        if let Err(refusal) = self.check.head(&head, &body.size_hint()) {
            return self.refuse(refusal);
        }
        // I3. What is there at once needs no waker: if there is to be a future, it polls again
        // with its own before it waits for anything.
        let mut body = Collect::new(body, self.check.max_bytes());
        match body.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(body) => match self.check.request(head, body) {
                // As above: it is still the polled instance, at once.
                Ok((request, None)) => ResponseFuture::called(self.inner.call(request)),
                // I2. Files are asked about: that takes as long as their servers do.
                Ok((request, Some(probing))) => {
                    self.give_up_readiness();
                    ResponseFuture::probing(self.inner.clone(), request, probing)
                }
                Err(refusal) => self.refuse(refusal),
            },
            Poll::Pending => {
                self.give_up_readiness();
                let reading = Reading { check: self.check.clone(), head, body };
                ResponseFuture::reading(self.inner.clone(), reading)
            }
        }
    }
}

impl<S: Clone, P> Validate<S, P> {
    fn refuse<B, F>(&mut self, refusal: Error) -> ResponseFuture<S, B, F> {
        self.give_up_readiness();
        ResponseFuture::refused(refusal)
    }

    /// I2. The instance that `poll_ready` prepared may hold what others wait for, such as the
    /// permit of a concurrency limit. It is not going to be called now, and a service has no other
    /// way to give back what it holds than to be dropped.
    fn give_up_readiness(&mut self) {
        self.inner = self.inner.clone();
    }
}
