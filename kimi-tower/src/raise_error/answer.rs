//! What is looked at of an answer, and what it then is.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode, response::Parts};
use http_body::Body;
use kimi_errors::{BoxError, DECODE_LIMIT, Error, ErrorKind};

use super::{
    body::ResponseBody,
    interrupted::Interrupted,
    stream_end::{Ending, StreamEnd, ending},
    watch::Watch,
    whole::Whole,
};
use crate::body::{
    described::{Content, Described, Disguise},
    event::Event,
    nesting,
    peek::{Awaited, Look, Peeked},
};

/// What the layer was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) look_timeout: Duration,
    pub(super) stream_end: StreamEnd,
}

/// An answer of which the head has been read.
#[derive(Debug)]
pub(super) enum Opened<B> {
    /// Its head was enough.
    Judged(Result<Response<ResponseBody<B>>, Error>),
    /// Its body has to be looked at.
    Looking(Opening<B>),
}

/// An answer whose body is looked at.
#[derive(Debug)]
pub(super) struct Opening<B> {
    head: Parts,
    body: Peeked<Whole<B>>,
    look: Look,
    /// Whether it is a success if nothing else is found, and one that comes in events.
    stream_end: Option<StreamEnd>,
}

impl Default for Rules {
    fn default() -> Self {
        Self::new()
    }
}

impl Rules {
    pub(super) const fn new() -> Self {
        Self { look_timeout: Duration::from_secs(5), stream_end: StreamEnd::Required }
    }

    /// Reads the head of an answer.
    pub(super) fn open<B>(self, response: Response<B>, is_head: bool) -> Opened<B>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        let status = response.status();
        let described = Described::by(response.headers());
        let is_judged = status.is_success() || is_error(status);
        if !is_judged || described.content == Content::Grpc {
            return Opened::passed(response, Whole::framed);
        }
        if is_error(status) {
            let (head, body) = response.into_parts();
            if described.is_encoded {
                tracing::warn!(%status, "the body of an error is compressed, and not read");
                return Opened::Judged(Err(raise(&head, b"")));
            }
            let body = Peeked::new(Whole::framed(body));
            let look = Look::at_bytes(DECODE_LIMIT);
            return Opened::Looking(Opening { head, body, look, stream_end: None });
        }
        // Neither has a body, whatever its fields say of one: RFC 9112 §6.3, number 1.
        if is_head || status == StatusCode::NO_CONTENT {
            return Opened::passed(response, Whole::framed);
        }
        let (look, stream_end) = match described.disguise(status) {
            Disguise::Body => (Look::at_bytes(DECODE_LIMIT), None),
            Disguise::Events => (Look::at_first_event(DECODE_LIMIT), Some(self.stream_end)),
            Disguise::None => {
                let version = response.version();
                return Opened::passed(response, |body| Whole::of(described, version, body));
            }
        };
        let (head, body) = response.into_parts();
        let body = Whole::of(described, head.version, body);
        Opened::Looking(Opening { head, body: Peeked::new(body), look, stream_end })
    }
}

impl<B> Opened<B> {
    /// Passes an answer that is not looked at.
    fn passed(response: Response<B>, whole: impl FnOnce(B) -> Whole<B>) -> Self {
        Self::Judged(Ok(response.map(|body| ResponseBody::plain(whole(body)))))
    }
}

impl<B> Opening<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    pub(super) fn poll_look(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.body.poll_look(&mut self.look, cx)
    }

    /// Returns whether a look of the layer inside has taken all its time.
    pub(super) fn was_awaited(&self) -> bool {
        self.head.extensions.get::<Awaited>().is_some()
    }

    /// Tells the layer outside that this look has taken all its time.
    pub(super) fn note_awaited(&mut self) {
        self.head.extensions.insert(Awaited);
    }

    /// Returns the answer, or the error that it is by what has come of it.
    pub(super) fn judge(self) -> Result<Response<ResponseBody<B>>, Error> {
        let Self { head, body, look, stream_end } = self;
        let prefix = body.prefix(&look);
        if is_error(head.status) {
            return Err(raise(&head, &prefix));
        }
        // A stream that is over before its first event has its end was cut, too.
        let is_cut =
            body.is_broken() || (stream_end.is_some() && body.is_over() && !look.is_done());
        // Of a success that is cut, what it says is known only if that part is whole: half of
        // "errcode":-2002 is another code.
        if !is_cut || nesting::is_whole(&prefix) {
            let decode = || kimi_errors::decode(head.status, &head.headers, &prefix);
            let event = stream_end.and_then(|_| Event::parse(&prefix));
            let found = match event.map(|event| event.error()) {
                // The head adds to what an event says.
                Some(Some(error)) => decode().or(Some(error)),
                Some(None) if look.is_done() => None,
                Some(None) | None => decode(),
            };
            if let Some(error) = found {
                return Err(raised(error));
            }
        }
        let ends = match stream_end {
            _ if !is_cut => Ending::Proper,
            Some(end) => ending(&prefix, end, body.is_broken()),
            None => Ending::Truncated,
        };
        drop(prefix);
        match ends {
            Ending::Proper => {}
            Ending::Error(error) => return Err(raised(error)),
            Ending::Truncated => {
                let interrupted = Interrupted::new(body.into_failure());
                return Err(match stream_end {
                    Some(_) => interrupted.truncated(),
                    None => interrupted.before_the_answer(),
                });
            }
        }
        let body = match stream_end {
            None => ResponseBody::looked_at(body),
            Some(end) => ResponseBody::event_stream(body, Watch::new(end)),
        };
        Ok(Response::from_parts(head, body))
    }
}

/// Returns the error that the answer with this head is for certain.
#[cold]
fn raise(head: &Parts, body: &[u8]) -> Error {
    let error = kimi_errors::decode(head.status, &head.headers, body);
    raised(error.unwrap_or_else(|| Error::new(ErrorKind::BadGateway)))
}

#[cold]
fn raised(error: Error) -> Error {
    tracing::debug!(kind = error.kind().name(), "an answer was an error");
    error
}

fn is_error(status: StatusCode) -> bool {
    status.as_u16() >= 400
}
