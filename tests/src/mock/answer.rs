//! An answer as it should be, and what a step makes of it.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::{
    MockBody, Wire,
    body::{End, Play},
    presence::Presence,
};
use crate::script::{FaultAnswer, Raw, Step};

/// An endless body without a pace of its own. Without any, it would keep a paused clock from ever
/// going on; 100 ms is about the pace of a model's tokens.
const ENDLESS_PACE: Duration = Duration::from_millis(100);

/// An undisturbed answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// None of them is empty.
    pub(super) chunks: Vec<Bytes>,
    /// What an endless body goes round in.
    pub(super) refrain: Range<usize>,
}

impl Answer {
    /// Creates an answer of one chunk, or none if it is empty.
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self::with_head(status, headers, body)
    }

    /// Creates a JSON answer of 200.
    pub(super) fn json(body: String) -> Self {
        Self::new(StatusCode::OK, "application/json", body.into_bytes())
    }

    /// Creates a stream of events.
    pub(super) fn events(events: Vec<String>, refrain: Range<usize>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let chunks = events.into_iter().map(Bytes::from).collect();
        Self { status: StatusCode::OK, headers, chunks, refrain }
    }

    /// Creates the answer of an error.
    pub(super) fn of_error(response: Response<Bytes>) -> Self {
        let (head, body) = response.into_parts();
        // The typed error in the extensions stays behind: an upstream is a stranger.
        Self::with_head(head.status, head.headers, body.into())
    }

    pub(super) fn of_fault(fault: FaultAnswer) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in fault.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        Self::with_head(status(fault.status), headers, fault.body)
    }

    pub(super) fn of_raw(raw: &Raw) -> Self {
        let mut headers = HeaderMap::new();
        insert(&mut headers, &raw.headers);
        Self::with_head(status(raw.status), headers, raw.bytes())
    }

    fn with_head(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        let is_stream = headers.get(header::CONTENT_TYPE).is_some_and(is_event_stream);
        let chunks = if is_stream { events_of(body) } else { vec![Bytes::from(body)] };
        let chunks: Vec<_> = chunks.into_iter().filter(|chunk| !chunk.is_empty()).collect();
        let refrain = 0..chunks.len();
        Self { status, headers, chunks, refrain }
    }

    /// Leaves the body out of the answer to a HEAD request; the head says how long it would be,
    /// RFC 9110 §9.3.2.
    pub(super) fn without_body(mut self) -> Self {
        let length: usize = self.chunks.iter().map(Bytes::len).sum();
        self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        Self { chunks: Vec::new(), refrain: 0..0, ..self }
    }

    /// Does to the answer what the step says, and gives it its body.
    pub(super) fn disturbed(
        mut self,
        step: &Step,
        presence: Presence,
        wire: Option<Wire>,
    ) -> Response<MockBody> {
        insert(&mut self.headers, &step.headers);
        if let Some(garbage) = step.garbage {
            self.chunks = vec![Bytes::from(garbage.generate())];
            self.chunks.retain(|chunk| !chunk.is_empty());
            self.refrain = 0..self.chunks.len();
        }
        let length: u64 = self.chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let is_endless = step.endless && !self.refrain.is_empty();
        let is_stream = self.headers.get(header::CONTENT_TYPE).is_some_and(is_event_stream);

        let (limit, end) = match (step.cut_at, step.reset_at, step.content_length) {
            (Some(bytes), ..) => (Some(bytes), End::Cut),
            (_, Some(bytes), _) => (Some(bytes), End::Reset),
            // Without a wire of its own the body ends as it is, and only the head is wrong.
            (.., Some(claimed)) if wire.is_some() && claimed > length => (None, End::Cut),
            (.., Some(claimed)) if wire.is_some() && claimed < length => {
                (Some(claimed), End::Excess(self.bytes_from(claimed)))
            }
            _ => (None, End::Proper),
        };
        let is_exact =
            limit.is_none() && !is_endless && !is_stream && step.content_length.is_none();
        let claimed = step.content_length.or_else(|| {
            // A body that breaks off announces itself in full; hyper announces an exact one.
            (limit.is_some() && !is_endless && !is_stream).then_some(length)
        });
        if let Some(claimed) = claimed {
            self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(claimed));
        }

        let pace = if is_endless { ENDLESS_PACE } else { Duration::ZERO };
        let play = Play {
            refrain: is_endless.then_some(self.refrain),
            chunks: self.chunks,
            split: step.split,
            between: step.delay_chunk_ms.map_or(pace, Duration::from_millis),
            limit,
            end,
            wire,
            is_exact,
        };
        let mut response = Response::new(MockBody::new(play, presence));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }

    /// Returns the bytes of the body from an offset on.
    fn bytes_from(&self, offset: u64) -> Bytes {
        let all = self.chunks.concat();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Bytes::copy_from_slice(all.get(offset..).unwrap_or_default())
    }
}

fn status(status: u16) -> StatusCode {
    // A checked step has 200 to 999.
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn is_event_stream(content_type: &HeaderValue) -> bool {
    content_type.as_bytes().starts_with(b"text/event-stream")
}

/// Inserts fields of a checked step, all of which are names and values.
fn insert<'a>(headers: &mut HeaderMap, fields: impl IntoIterator<Item = (&'a String, &'a String)>) {
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

/// Returns a stream's events as a chunk each, so that time may pass between them.
fn events_of(body: Vec<u8>) -> Vec<Bytes> {
    let mut rest = Bytes::from(body);
    let mut events = Vec::new();
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
        events.push(rest.split_to(end + 2));
    }
    events.push(rest);
    events
}
