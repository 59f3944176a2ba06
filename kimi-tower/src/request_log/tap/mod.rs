//! What the body of an answer says, read while it passes.
//!
//! A [`Tap`] is shown each frame before it goes on, and neither changes, delays nor keeps any of
//! it: of a text that comes in pieces it copies the beginning, to know it when it is whole.
//!
//! - `whole` reads an answer that is one text of JSON, and `events` one that comes in events;
//! - `aside` is where pieces are put together;
//! - `alike` knows the events that differ from one already read in nothing but a text.

mod alike;
mod aside;
mod events;
mod whole;

use http::HeaderMap;
use kimi_errors::{Error, grpc};

use self::{events::Events, whole::Whole};
use crate::body::{
    described::{Content, Described},
    usage::{AnswerTap, FinishReason, Usage},
};

/// Reads the body of an answer.
#[derive(Debug)]
pub(super) struct Tap {
    reading: Reading,
    /// The length that the head announces, in bytes.
    announced: Option<u64>,
    /// The bytes, and the data frames with any, that have passed.
    bytes: u64,
    chunks: u64,
    /// The error that the answer turned out to be.
    error: Option<Error>,
}

/// What is read.
#[derive(Debug)]
enum Reading {
    /// Nothing but how long it is.
    Nothing,
    Whole(Whole),
    Events(Box<Events>),
    Grpc,
}

/// What is known of an answer when its body is over, or nobody reads it any more.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) usage: Option<Usage>,
    pub(super) finish_reason: Option<FinishReason>,
    pub(super) error: Option<Error>,
    /// Whether the stream has said that it is complete; `None` if it is none of events.
    pub(super) is_complete: Option<bool>,
}

impl Tap {
    /// Creates a tap for the body of an answer with this head.
    pub(super) fn of(status: u16, headers: &HeaderMap) -> Self {
        let described = Described::by(headers);
        let mut error = None;
        let reading = match described.content {
            Content::EventStream => match AnswerTap::described(described) {
                Some(tap) => Reading::Events(Box::new(Events::new(tap))),
                None => Reading::Nothing,
            },
            Content::Json if !described.is_encoded => Reading::Whole(Whole::new(status, described)),
            Content::Grpc => {
                // It may have trailers only, which are its head then.
                error = grpc::from_trailers(headers);
                Reading::Grpc
            }
            _ => Reading::Nothing,
        };
        Self { reading, announced: described.length, bytes: 0, chunks: 0, error }
    }

    /// Creates a tap for an answer that has no body, whatever its head says.
    pub(super) const fn of_nothing() -> Self {
        Self { reading: Reading::Nothing, announced: None, bytes: 0, chunks: 0, error: None }
    }

    /// Reads a chunk that is not empty, and returns whether it is the first with content; `is_last` if
    /// nothing comes after it.
    #[inline]
    pub(super) fn read(&mut self, chunk: &[u8], is_last: bool) -> bool {
        self.bytes += chunk.len() as u64;
        self.chunks += 1;
        match &mut self.reading {
            Reading::Events(events) => events.read(chunk),
            Reading::Whole(whole) => {
                whole.read(chunk, is_last);
                self.chunks == 1
            }
            Reading::Nothing | Reading::Grpc => self.chunks == 1,
        }
    }

    /// Reads the trailers.
    #[cold]
    pub(super) fn read_trailers(&mut self, trailers: &HeaderMap) {
        if matches!(self.reading, Reading::Grpc) && self.error.is_none() {
            self.error = grpc::from_trailers(trailers);
        }
    }

    /// Returns how many bytes have passed.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns how many data frames with any bytes have passed.
    pub(super) const fn chunks(&self) -> u64 {
        self.chunks
    }

    pub(super) const fn is_stream(&self) -> bool {
        matches!(self.reading, Reading::Events(_))
    }

    /// Returns whether all has passed that was announced: a reader that has it may leave.
    pub(super) fn is_all_there(&self) -> bool {
        self.announced.is_some_and(|length| self.bytes >= length)
            || matches!(&self.reading, Reading::Events(events) if events.is_complete())
    }

    /// Returns what the body has said; `is_over` if it has ended, and not only its reader left.
    pub(super) fn told(&mut self, is_over: bool) -> Told {
        let mut told = match &mut self.reading {
            Reading::Nothing | Reading::Grpc => Told::default(),
            Reading::Whole(whole) => whole.told(is_over),
            Reading::Events(events) => events.told(is_over),
        };
        told.error = told.error.or_else(|| self.error.take());
        told
    }
}
