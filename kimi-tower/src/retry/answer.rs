//! What an answer is, by its head and the beginning of its body.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, response::Parts};
use http_body::Body;
use kimi_errors::{BoxError, DECODE_LIMIT, Error, ErrorKind};

use super::{
    ResponseBody,
    failure::{Failed, Safety, safety_of_answer},
};
use crate::body::{
    described::{Content, Described, Disguise},
    event::Event,
    nesting,
    peek::{Awaited, Look, Peeked},
    stream_end::{LastWord, last_word},
};

/// The most events without content that are passed over: 16, ours. Kimi sends one, and a
/// keep-alive every 30 s.
const MAX_OPENINGS: usize = 16;

/// How an answer is looked at, by its head.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sight {
    /// Not at all: it is a success, or nobody's failure.
    Passed,
    /// At the beginning of its body.
    Body,
    /// At its first events.
    Events,
    /// It is an error that cannot be read.
    Head,
}

/// What an answer is.
#[derive(Debug)]
pub(super) enum Judged<R> {
    /// A success, or what is nobody's failure.
    Passed(Response<ResponseBody<R>>),
    Failed(Failed<R>),
}

/// An answer whose body is looked at.
#[derive(Debug)]
pub(super) struct Opening<R> {
    head: Parts,
    body: Peeked<R>,
    look: Look,
    is_events: bool,
    /// The events that were passed over.
    openings: usize,
    /// What was found in an event.
    error: Option<Error>,
}

impl Sight {
    pub(super) fn by_head<R>(response: &Response<R>, is_head: bool) -> Self {
        let status = response.status();
        if is_error(status) {
            return Self::at_error(response.headers());
        }
        // Neither has a body, whatever its fields say of one: RFC 9112 §6.3, number 1.
        if !status.is_success() || is_head || status == StatusCode::NO_CONTENT {
            return Self::Passed;
        }
        match Described::by(response.headers()).disguise(status) {
            Disguise::None => Self::Passed,
            Disguise::Body => Self::Body,
            Disguise::Events => Self::Events,
        }
    }

    #[cold]
    fn at_error(headers: &HeaderMap) -> Self {
        match Described::by(headers) {
            // What became of a call in gRPC is for its client to say.
            Described { content: Content::Grpc, .. } => Self::Passed,
            Described { is_encoded: true, .. } => Self::Head,
            _ => Self::Body,
        }
    }
}

impl<R> Opening<R> {
    pub(super) fn new(response: Response<R>, sight: Sight) -> Self {
        let is_events = sight == Sight::Events;
        let look = match sight {
            Sight::Events => Look::at_first_event(DECODE_LIMIT),
            Sight::Body => Look::at_bytes(DECODE_LIMIT),
            Sight::Head | Sight::Passed => Look::at_bytes(0),
        };
        let (head, body) = response.into_parts();
        Self { head, body: Peeked::new(body), look, is_events, openings: 0, error: None }
    }

    /// Returns whether a look of the layer inside has taken all its time.
    pub(super) fn was_awaited(&self) -> bool {
        self.head.extensions.get::<Awaited>().is_some()
    }

    /// Tells the layer outside that this look has taken all its time.
    pub(super) fn note_awaited(&mut self) {
        self.head.extensions.insert(Awaited);
    }
}

impl<R> Opening<R>
where
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<BoxError>,
{
    /// Is ready when the answer can be [judged](Self::judge). What it is by then it can be asked at
    /// any time.
    pub(super) fn poll_look(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Ends, since each turn passes over one of a few events.
        loop {
            if self.body.poll_look(&mut self.look, cx).is_pending() {
                return Poll::Pending;
            }
            if !self.is_events || !self.look.has_event() || self.openings == MAX_OPENINGS {
                return Poll::Ready(());
            }
            {
                let lines = self.body.event(&self.look);
                let event = Event::parse(&lines);
                self.error = event.as_ref().and_then(Event::error);
                // A comment is no event.
                let is_opening = event.as_ref().is_none_or(Event::is_opening);
                if self.error.is_some() || !is_opening || self.look.has_passed_its_limit() {
                    return Poll::Ready(());
                }
            }
            self.openings += 1;
            self.body.pass_over_event(&mut self.look);
        }
    }

    /// Returns what the answer is, by what has come of it.
    pub(super) fn judge(mut self) -> Judged<R> {
        let found = if self.is_events { self.error_in_events() } else { self.error_in_body() };
        let Some((error, safety)) = found else {
            return Judged::Passed(self.into_response());
        };
        Judged::Failed(Failed { error, safety, answer: Some(self.into_response()) })
    }

    fn error_in_events(&mut self) -> Option<(Error, Safety)> {
        let rest = self.body.event(&self.look);
        let said = match self.error.take() {
            Some(said) => said,
            None if self.look.has_event() => return None,
            None if !self.body.is_broken() && !self.body.is_over() => return None,
            // Nothing but comments and openings has come, and no more will.
            None => match last_word(&rest) {
                Some(LastWord::End) => return None,
                Some(LastWord::Error(said)) => said,
                None => return Some((Error::new(ErrorKind::StreamTruncated), Safety::Refused)),
            },
        };
        // The head adds to what an event says.
        let error = kimi_errors::decode(self.head.status, &self.head.headers, &rest);
        Some(of_answer(error.unwrap_or(said)))
    }

    fn error_in_body(&self) -> Option<(Error, Safety)> {
        let prefix = self.body.prefix(&self.look);
        let decode = || kimi_errors::decode(self.head.status, &self.head.headers, &prefix);
        if is_error(self.head.status) {
            return Some(of_answer(decode().unwrap_or_else(|| Error::new(ErrorKind::BadGateway))));
        }
        // Of a success that is cut, what it says is known only if that part is whole: half of
        // "errcode":-2002 is another code.
        if !self.body.is_broken() {
            return decode().map(of_answer);
        }
        let error = nesting::is_whole(&prefix).then(decode).flatten();
        Some(of_answer(error.unwrap_or_else(|| Error::new(ErrorKind::BadGateway))))
    }

    fn into_response(self) -> Response<ResponseBody<R>> {
        Response::from_parts(self.head, ResponseBody::looked_at(self.body))
    }
}

fn of_answer(error: Error) -> (Error, Safety) {
    let safety = safety_of_answer(error.kind());
    (error, safety)
}

fn is_error(status: StatusCode) -> bool {
    status.as_u16() >= 400
}
