use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt as _;
use kimi_errors::BoxError;
use tower_service::Service;

use super::{
    ProbeBody,
    seen::{Alive, Seen, SeenRequest},
};

/// What a [`Probe`] does with one call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Act {
    /// Answers, when it has read the request's body.
    Answer(Response<ProbeBody>),
    /// Answers, and drops the request's body unread.
    AnswerUnread(Response<ProbeBody>),
    /// Fails, in the future.
    Fail(BoxError),
    /// Panics in `call`, before there is a future.
    PanicInCall(&'static str),
    /// Panics in the future.
    Panic(&'static str),
    /// Never answers.
    Hang,
}

/// What a [`Probe`] does at one `poll_ready`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Readiness {
    /// Is ready.
    Ready,
    /// Is not ready until [`Seen::wake`].
    Pending,
    /// Fails.
    Fail(BoxError),
    /// Panics with this text.
    Panic(&'static str),
}

/// A service that follows a script, and answers 200 with an empty body after it.
///
/// Clones share the script and what was seen, but not readiness: each must be polled ready
/// before each call. A call without it is counted, not punished, since a layer may catch panics.
#[derive(Debug)]
pub struct Probe {
    seen: Seen,
    /// Whether this instance was polled ready and not called since.
    is_ready: bool,
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        Self { seen: self.seen.clone(), is_ready: false }
    }
}

impl Probe {
    /// Creates a probe that does `acts`, one a call.
    pub fn new(acts: impl IntoIterator<Item = Act>) -> (Self, Seen) {
        let seen = Seen::default();
        seen.lock().acts.extend(acts);
        (Self { seen: seen.clone(), is_ready: false }, seen)
    }

    /// Sets what `poll_ready` does, one a poll; it is ready after them.
    #[must_use]
    pub fn with_readiness(self, script: impl IntoIterator<Item = Readiness>) -> Self {
        self.seen.lock().readiness.extend(script);
        self
    }
}

impl<B> Service<Request<B>> for Probe
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<ProbeBody>;
    type Error = BoxError;
    type Future = ProbeFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let readiness = {
            let mut state = self.seen.lock();
            state.polls_ready += 1;
            if state.is_held {
                state.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
            match state.readiness.pop_front() {
                Some(Readiness::Pending) => {
                    state.is_held = true;
                    state.waiting.push(cx.waker().clone());
                    return Poll::Pending;
                }
                other => other,
            }
        };
        match readiness {
            Some(Readiness::Fail(error)) => Poll::Ready(Err(error)),
            Some(Readiness::Panic(message)) => panic!("{message}"),
            Some(Readiness::Ready | Readiness::Pending) | None => {
                self.is_ready = true;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn call(&mut self, request: Request<B>) -> ProbeFuture {
        let was_ready = std::mem::take(&mut self.is_ready);
        let act = {
            let mut state = self.seen.lock();
            state.calls += 1;
            state.unready_calls += usize::from(!was_ready);
            state.acts.pop_front()
        };
        let act = act.unwrap_or_else(|| Act::Answer(Response::new(ProbeBody::empty())));
        if let Act::PanicInCall(message) = act {
            panic!("{message}");
        }
        let alive = Alive::new(self.seen.clone());
        ProbeFuture(Box::pin(async move {
            let seen = &alive.0;
            match act {
                Act::Answer(response) => {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map_err(Into::into)?;
                    let trailers = body.trailers().cloned();
                    let request = SeenRequest { head, body: body.to_bytes(), trailers };
                    seen.lock().requests.push(request);
                    Ok(response)
                }
                Act::AnswerUnread(response) => Ok(response),
                Act::Fail(error) => Err(error),
                Act::Panic(message) | Act::PanicInCall(message) => panic!("{message}"),
                Act::Hang => std::future::pending().await,
            }
        }))
    }
}

/// The future of a [`Probe`].
#[must_use = "futures do nothing unless polled"]
pub struct ProbeFuture(Pin<Box<dyn Future<Output = Result<Response<ProbeBody>, BoxError>> + Send>>);

impl std::fmt::Debug for ProbeFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProbeFuture").finish_non_exhaustive()
    }
}

impl Future for ProbeFuture {
    type Output = Result<Response<ProbeBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}
