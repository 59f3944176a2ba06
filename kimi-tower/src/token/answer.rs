//! Whether an answer is an error, by its head and the beginning of its body.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode, response::Parts};
use http_body::Body;
use kimi_errors::{BoxError, DECODE_LIMIT, Error};
use tokio::time::{Sleep, sleep};

use super::{ResponseBody, pause::Answer};
use crate::body::{
    described::{Content, Described, Disguise},
    event::Event,
    nesting,
    peek::{Awaited, Look, Peeked},
};

/// An answer whose body is looked at.
pub(super) struct Opening<R> {
    head: Parts,
    body: Peeked<R>,
    look: Look,
    is_events: bool,
    /// When what has come by then decides. Boxed, since most answers are there at once.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<R> Opening<R> {
    /// Returns the answer if its head says that there is no error in it.
    pub(super) fn of(response: Response<R>, is_head: bool) -> Result<Self, Response<R>> {
        let status = response.status();
        let described = Described::by(response.headers());
        let is_error = status.as_u16() >= 400;
        // What became of a call in gRPC is for its client to say.
        let is_passed = described.content == Content::Grpc
            || !is_error && (!status.is_success() || is_head || status == StatusCode::NO_CONTENT);
        if is_passed {
            return Err(response);
        }
        let disguise = described.disguise(status);
        let (look, is_events) = match disguise {
            // The status of an error has to do where nothing else can be read.
            _ if is_error && described.is_encoded => (Look::at_bytes(0), false),
            _ if is_error => (Look::at_bytes(DECODE_LIMIT), false),
            Disguise::None => return Err(response),
            Disguise::Body => (Look::at_bytes(DECODE_LIMIT), false),
            Disguise::Events => (Look::at_first_event(DECODE_LIMIT), true),
        };
        let (head, body) = response.into_parts();
        Ok(Self { head, body: Peeked::new(body), look, is_events, alarm: None })
    }

    fn into_response(self) -> Response<ResponseBody<R>> {
        Response::from_parts(self.head, ResponseBody::looked_at(self.body))
    }
}

impl<R> Opening<R>
where
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<BoxError>,
{
    /// Is ready when the answer can be [judged](Self::judge): when enough of it has come, or after a
    /// time.
    pub(super) fn poll_look(&mut self, timeout: Duration, cx: &mut Context<'_>) -> Poll<()> {
        if self.body.poll_look(&mut self.look, cx).is_ready() {
            return Poll::Ready(());
        }
        // A layer within has waited for the same beginning.
        if self.head.extensions.get::<Awaited>().is_none() {
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(timeout)));
            ready!(alarm.as_mut().poll(cx));
            self.head.extensions.insert(Awaited);
        }
        Poll::Ready(())
    }

    /// Returns the answer, and the error that it is by what has come of it.
    pub(super) fn judge(self) -> (Answer<R>, Option<Error>) {
        let error = self.error();
        (Ok(self.into_response()), error)
    }

    fn error(&self) -> Option<Error> {
        let prefix = self.body.prefix(&self.look);
        if self.is_events {
            return Event::parse(&prefix).as_ref().and_then(Event::error);
        }
        // Of a success that is cut, what it says is known only if that part is whole.
        let is_success = self.head.status.is_success();
        if is_success && self.body.is_broken() && !nesting::is_whole(&prefix) {
            return None;
        }
        kimi_errors::decode(self.head.status, &self.head.headers, &prefix)
    }
}
