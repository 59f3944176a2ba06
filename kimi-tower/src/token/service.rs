use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response, header::AUTHORIZATION};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use tower_service::Service;

use super::{
    Leased, ResponseBody, TokenLayer, TokenSource,
    future::ResponseFuture,
    pause::{Next, Pause, Spare, Token},
    sent::Sent,
    shared::Shared,
};
use crate::replay::{Replay, ReplayBody};

/// Sends requests to `S` with a valid token. See the [module](super).
pub struct TokenService<S, T> {
    inner: S,
    shared: Arc<Shared<T>>,
}

impl<S, T> TokenService<S, T> {
    /// Creates the service, which takes its tokens from where `layer` does.
    #[must_use]
    pub fn new(inner: S, layer: &TokenLayer<T>) -> Self {
        Self { inner, shared: layer.shared() }
    }

    inner_accessors!();
}

impl<S, T, B, R> Service<Request<B>> for TokenService<S, T>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    T: TokenSource,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = Error;
    type Future = ResponseFuture<S, T, B, R>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from(error.into()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !self.shared.replaces && request.headers().contains_key(AUTHORIZATION) {
            return ResponseFuture::untouched(self.inner.call(request.map(ReplayBody::once)));
        }
        let (mut head, body) = request.into_parts();
        let shared = Arc::clone(&self.shared);
        let mut sent = Sent {
            shared,
            lease: None,
            ahead: None,
            spare: None,
            is_head: head.method == Method::HEAD,
        };
        match self.shared.source.lease(&head) {
            Leased::Ready(lease, ahead) => {
                let (body, replay) = Replay::new(body, &self.shared.replay);
                // The polled instance itself is called; the clone waits for a refusal.
                sent.spare =
                    Some(Spare { service: self.inner.clone(), head: head.clone(), replay });
                head.headers.insert(AUTHORIZATION, lease.as_ref().clone());
                (sent.lease, sent.ahead) = (Some(lease), ahead);
                ResponseFuture::begun(self.inner.call(Request::from_parts(head, body)), sent)
            }
            Leased::Waiting(wait) => {
                let service = self.inner.clone();
                // Nobody else waits for what this one had been promised by being ready.
                self.inner = self.inner.clone();
                let (token, next) = (Token::Waits(wait), Next::First(body));
                ResponseFuture::waiting(Pause { token, service, head, next }, sent)
            }
            Leased::Untouched => {
                let request = Request::from_parts(head, ReplayBody::once(body));
                ResponseFuture::untouched(self.inner.call(request))
            }
            Leased::Refused(error) => {
                self.inner = self.inner.clone();
                ResponseFuture::refused(error)
            }
        }
    }
}

impl<S: Clone, T> Clone for TokenService<S, T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<S: fmt::Debug, T: fmt::Debug> fmt::Debug for TokenService<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenService")
            .field("inner", &self.inner)
            .field("shared", &self.shared)
            .finish()
    }
}
