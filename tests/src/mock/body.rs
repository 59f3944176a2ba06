//! The body of an answer: chunks, the time between them, and the end they come to.

use std::{
    fmt,
    future::Future as _,
    io,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::{
    task::coop,
    time::{Sleep, sleep},
};

use super::{Ending, Wire, presence::Presence};

/// The body of a [`Mock`](super::Mock)'s answer. It fails only where a step says `reset_at`.
#[must_use = "a body holds its conversation until it is read or dropped"]
pub struct MockBody {
    play: Play,
    next: usize,
    /// What `next` has passed and has not been handed out, where chunks are cut anew.
    rest: BytesMut,
    pause: Option<Pin<Box<Sleep>>>,
    state: State,
    /// Dropped when the last byte has been handed out.
    presence: Option<Presence>,
}

/// What a body sends, worked out beforehand.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) chunks: Vec<Bytes>,
    /// The chunks to go round forever once they are reached.
    pub(super) refrain: Option<Range<usize>>,
    pub(super) split: Option<usize>,
    pub(super) between: Duration,
    /// How many bytes to hand out before the end.
    pub(super) limit: Option<u64>,
    pub(super) end: End,
    pub(super) wire: Option<Wire>,
    /// Whether the number of bytes may be told.
    pub(super) is_exact: bool,
}

/// What comes after the last byte.
#[derive(Debug)]
pub(super) enum End {
    /// The end of the body.
    Proper,
    /// The end of the connection; in the process it looks like the end of the body.
    Cut,
    /// An error; on a wire, the abort of the connection.
    Reset,
    /// The end of the body, and on the wire behind it bytes that the head did not announce.
    Excess(Bytes),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// The first chunk goes without a pause.
    Fresh,
    Playing,
    /// The reader is given a turn to pass on what it has, before the error.
    Failing,
    /// The connection was told to end, which drops this body.
    Abandoned,
    Over,
}

impl MockBody {
    pub(super) fn new(play: Play, presence: Presence) -> Self {
        let mut body = Self {
            play,
            next: 0,
            rest: BytesMut::new(),
            pause: None,
            state: State::Fresh,
            presence: Some(presence),
        };
        body.end_if_played();
        body
    }

    /// Returns whether every byte to hand out has been.
    fn is_played(&self) -> bool {
        self.play.limit == Some(0) || (self.rest.is_empty() && self.next >= self.play.chunks.len())
    }

    /// Ends the body where its end takes no further poll.
    fn end_if_played(&mut self) {
        if !self.is_played() {
            return;
        }
        match (&mut self.play.end, &self.play.wire) {
            (End::Reset, _) | (End::Cut, Some(_)) => return,
            (End::Excess(bytes), Some(wire)) => wire.end(Ending::Close(std::mem::take(bytes))),
            (End::Proper | End::Cut | End::Excess(_), _) => {}
        }
        self.state = State::Over;
        self.presence = None;
    }

    /// Returns what to hand out next, at most as much as may be.
    fn take_piece(&mut self) -> Option<Bytes> {
        let mut piece = match self.play.split {
            None => self.take_chunk()?,
            Some(size) => {
                while self.rest.len() < size
                    && let Some(chunk) = self.take_chunk()
                {
                    self.rest.extend_from_slice(&chunk);
                }
                self.rest.split_to(size.min(self.rest.len())).freeze()
            }
        };
        if let Some(limit) = &mut self.play.limit {
            piece.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
            *limit -= piece.len() as u64;
        }
        Some(piece)
    }

    fn take_chunk(&mut self) -> Option<Bytes> {
        let chunk = self.play.chunks.get(self.next)?.clone();
        self.next += 1;
        if let Some(refrain) = &self.play.refrain
            && self.next >= refrain.end
        {
            self.next = refrain.start;
        }
        Some(chunk)
    }

    /// Waits until the next chunk is due.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.state == State::Fresh || self.play.between.is_zero() {
            return Poll::Ready(());
        }
        let between = self.play.between;
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(between)));
        ready!(pause.as_mut().poll(cx));
        self.pause = None;
        Poll::Ready(())
    }

    fn poll_end(&mut self, cx: &Context<'_>) -> Poll<Option<io::Error>> {
        match (self.state, &self.play.end, &self.play.wire) {
            (State::Over, ..) => Poll::Ready(None),
            // The connection ends, and drops this body, without a wake-up from here.
            (State::Abandoned, ..) => Poll::Pending,
            (_, End::Reset, Some(wire)) => self.abandon(&wire.clone(), Ending::Reset),
            (_, End::Cut, Some(wire)) => self.abandon(&wire.clone(), Ending::Close(Bytes::new())),
            // An HTTP/2 connection throws away what it has not sent when a stream is reset.
            (State::Fresh | State::Playing, End::Reset, None) => {
                self.state = State::Failing;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            (State::Failing, ..) => {
                self.state = State::Over;
                self.presence = None;
                let reason = "reset_at: the upstream reset the connection";
                Poll::Ready(Some(io::Error::new(io::ErrorKind::ConnectionReset, reason)))
            }
            (State::Fresh | State::Playing, ..) => {
                self.end_if_played();
                Poll::Ready(None)
            }
        }
    }

    fn abandon(&mut self, wire: &Wire, ending: Ending) -> Poll<Option<io::Error>> {
        wire.end(ending);
        self.state = State::Abandoned;
        self.presence = None;
        Poll::Pending
    }
}

impl Body for MockBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        // An endless body is always ready, and must let others have their turn.
        let progress = ready!(coop::poll_proceed(cx));
        if this.is_played() {
            let end = ready!(this.poll_end(cx));
            return Poll::Ready(end.map(Err));
        }
        ready!(this.poll_pause(cx));
        progress.made_progress();
        this.state = State::Playing;
        let piece = this.take_piece();
        this.end_if_played();
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.state == State::Over
    }

    fn size_hint(&self) -> SizeHint {
        if !self.play.is_exact {
            return SizeHint::default();
        }
        let waiting = self.play.chunks.get(self.next..).unwrap_or_default();
        let waiting: usize = waiting.iter().map(Bytes::len).sum();
        SizeHint::with_exact((self.rest.len() + waiting) as u64)
    }
}

impl fmt::Debug for MockBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockBody")
            .field("next", &self.next)
            .field("state", &self.state)
            .field("play", &self.play)
            .finish_non_exhaustive()
    }
}
