//! What is waited for before an attempt: a token, then the service.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION, request::Parts};
use http_body::Body;
use kimi_errors::{BoxError, Error, ErrorKind};
use tower_service::Service;

use super::{ResponseBody, TokenSource};
use crate::replay::{Replay, ReplayBody, ReplayLimits};

/// What a second attempt is made of.
pub(super) struct Spare<S, B> {
    /// Not polled ready.
    pub(super) service: S,
    /// The caller's.
    pub(super) head: Parts,
    pub(super) replay: Replay<B>,
}

/// An attempt to come.
pub(super) struct Pause<S, T: TokenSource, B, R> {
    pub(super) token: Token<T>,
    pub(super) service: S,
    /// The caller's.
    pub(super) head: Parts,
    pub(super) next: Next<B, R>,
}

pub(super) enum Token<T: TokenSource> {
    Waits(T::Wait),
    There(T::Lease, Option<T::Wait>),
}

/// Which attempt it is.
pub(super) enum Next<B, R> {
    First(B),
    Second(Box<Second<B, R>>),
}

/// A second attempt to come.
pub(super) struct Second<B, R> {
    pub(super) replay: Replay<B>,
    /// What is handed on if it cannot be made.
    pub(super) answer: Answer<R>,
    /// The token of the first.
    pub(super) refused: HeaderValue,
}

/// What became of an attempt.
pub(super) type Answer<R> = Result<Response<ResponseBody<R>>, Error>;

/// An attempt that has begun.
pub(super) struct Begun<S, T, B>
where
    S: Service<Request<ReplayBody<B>>>,
    T: TokenSource,
{
    pub(super) future: S::Future,
    pub(super) lease: T::Lease,
    pub(super) ahead: Option<T::Wait>,
    /// `None` of the second.
    pub(super) spare: Option<Spare<S, B>>,
}

impl<S, T, B, R> Pause<S, T, B, R>
where
    S: Service<Request<ReplayBody<B>>>,
    S::Error: Into<BoxError>,
    T: TokenSource,
{
    /// Is ready when the attempt can [begin](Self::begin), or never will: then that is why.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Token::Waits(wait) = &mut self.token {
            match ready!(Pin::new(wait).poll(cx)) {
                Ok(lease) => self.token = Token::There(lease, None),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        if let (Token::There(lease, _), Next::Second(second)) = (&self.token, &self.next)
            && *lease.as_ref() == second.refused
        {
            // There is no other. What the caller gets is the answer.
            return Poll::Ready(Err(Error::new(ErrorKind::TokenExpired)));
        }
        match self.service.poll_ready(cx) {
            Poll::Ready(ready) => Poll::Ready(ready.map_err(|error| Error::from(error.into()))),
            // The answer may keep busy what the service is waiting for.
            Poll::Pending if !self.is_free() => Poll::Ready(Err(Error::new(ErrorKind::Overloaded))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_free(&self) -> bool {
        match &self.next {
            Next::Second(second) => second.answer.as_ref().map_or(true, |it| it.body().is_over()),
            Next::First(_) => true,
        }
    }
}

impl<S, T: TokenSource, B, R> Pause<S, T, B, R> {
    /// Returns what the caller gets if the attempt cannot be made for this reason.
    pub(super) fn give_up(self, error: Error) -> Answer<R> {
        match self.next {
            Next::First(_) => Err(error),
            Next::Second(second) => second.answer,
        }
    }
}

impl<S, T, B, R> Pause<S, T, B, R>
where
    S: Service<Request<ReplayBody<B>>> + Clone,
    T: TokenSource,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Begins the attempt, for which the service is ready. Else what the caller gets.
    pub(super) fn begin(self, limits: &ReplayLimits) -> Result<Begun<S, T, B>, Box<Answer<R>>> {
        let Self { token, mut service, mut head, next } = self;
        let Token::There(lease, ahead) = token else {
            return Err(Box::new(Err(Error::new(ErrorKind::System))));
        };
        let (body, spare) = match next {
            Next::First(body) => {
                let (body, replay) = Replay::new(body, limits);
                (body, Some(Spare { service: service.clone(), head: head.clone(), replay }))
            }
            Next::Second(second) => match second.replay.again() {
                Some(body) => (body, None),
                None => return Err(Box::new(second.answer)),
            },
        };
        head.headers.insert(AUTHORIZATION, lease.as_ref().clone());
        let future = service.call(Request::from_parts(head, body));
        Ok(Begun { future, lease, ahead, spare })
    }
}
