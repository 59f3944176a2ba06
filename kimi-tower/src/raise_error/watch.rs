//! Looks at each event of a stream, and lets go of it when it is none of an error.

use std::borrow::Cow;

use bytes::Bytes;
use http_body::Frame;
use kimi_errors::Error;

use super::stream_end::{Ending, StreamEnd, ending};
use crate::body::{event::Event, holdback::Holdback};

/// The events of one stream. An incomplete one is held back, so that none of an error is half out.
#[derive(Debug)]
pub(super) struct Watch {
    holdback: Holdback,
    end: StreamEnd,
    /// Whether the stream has said that it is complete.
    is_complete: bool,
    /// The events with data that were complete.
    events: u64,
    /// Whether what is too long to hold is an event with data.
    is_long_event: bool,
}

impl Watch {
    pub(super) fn new(end: StreamEnd) -> Self {
        let holdback = Holdback::default();
        Self { holdback, end, is_complete: false, events: 0, is_long_event: false }
    }

    /// Takes the next chunk; [`pop`](Self::pop) must have returned `None` before.
    ///
    /// Returns what may go on at once, and the error that one of the events is: it comes after all
    /// that may go.
    #[inline]
    pub(super) fn push(&mut self, chunk: Bytes) -> (Option<Bytes>, Option<Error>) {
        let (mut start, mut last) = (0, None);
        while let Some(length) = self.holdback.read_one(&chunk[start..]) {
            let end = start + length;
            if let Some(error) = self.see(&chunk[start..end], start == 0) {
                return (self.keep_before(chunk, start), Some(error));
            }
            (start, last) = (end, Some(end));
        }
        if start < chunk.len()
            && let Some(error) = self.see_too_much(&chunk[start..], start == 0)
        {
            return (self.keep_before(chunk, start), Some(error));
        }
        (self.holdback.push_read(chunk, last), None)
    }

    /// Returns the next frame that may go.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Frame<Bytes>> {
        self.holdback.pop()
    }

    /// Takes notice that no more comes, in order or not, and lets go of what is held if that is
    /// how the stream should end.
    pub(super) fn end(&mut self, is_broken: bool) -> Ending {
        let ending = if self.is_complete {
            Ending::Proper
        } else if self.holdback.is_broken() {
            // The rest of an event too long to hold.
            Ending::Truncated
        } else {
            ending(&self.open_event(&[]), self.end, is_broken)
        };
        if matches!(ending, Ending::Proper) {
            self.holdback.release();
            self.is_complete = true;
        } else {
            self.holdback.discard();
        }
        ending
    }

    /// Lets `trailers` go behind what may go.
    pub(super) fn push_trailers(&mut self, trailers: Frame<Bytes>) {
        self.holdback.release_before(trailers);
    }

    /// Returns whether nothing is held.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.holdback.is_empty()
    }

    /// Returns whether the end of the body would be a proper one.
    pub(super) fn may_end(&self) -> bool {
        let is_between = self.holdback.is_empty() && !self.holdback.is_broken();
        self.is_complete || (self.end == StreamEnd::Optional && is_between)
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Returns how many bytes are held.
    pub(super) fn held_bytes(&self) -> u64 {
        self.holdback.held().map(|slice| slice.len() as u64).sum()
    }

    /// Looks at the event that `part` ends, all of it unless the part is the chunk's first.
    #[inline]
    fn see(&mut self, part: &[u8], is_first: bool) -> Option<Error> {
        if is_first && self.holdback.is_broken() {
            // Half of it is out.
            self.events += u64::from(self.is_long_event);
            return None;
        }
        let lines = if is_first { self.open_event(part) } else { Cow::Borrowed(part) };
        let event = Event::parse(&lines)?;
        let (is_mark, error) = match event.is_end_mark() {
            true => (true, None),
            false => (false, event.error()),
        };
        self.is_complete |= is_mark;
        self.events += u64::from(error.is_none());
        error
    }

    /// Looks at the beginning of an event that is too long to be held: what it is by then decides.
    fn see_too_much(&mut self, part: &[u8], is_first: bool) -> Option<Error> {
        let is_known = is_first && self.holdback.is_broken();
        if is_known || !self.holdback.is_too_much(part.len(), is_first) {
            return None;
        }
        let lines = if is_first { self.open_event(part) } else { Cow::Borrowed(part) };
        let event = Event::parse(&lines);
        let error = event.as_ref().and_then(Event::error);
        self.is_long_event = event.is_some();
        error
    }

    /// Lets what stands before `at` go, and drops the rest. Nothing more is pushed after it.
    #[cold]
    fn keep_before(&mut self, mut chunk: Bytes, at: usize) -> Option<Bytes> {
        if at == 0 {
            self.holdback.discard();
            return None;
        }
        chunk.truncate(at);
        self.holdback.push_read(chunk, Some(at))
    }

    /// Returns what is held and `part` as one.
    fn open_event<'a>(&self, part: &'a [u8]) -> Cow<'a, [u8]> {
        if self.holdback.is_empty() {
            return Cow::Borrowed(part);
        }
        let mut lines = Vec::new();
        self.holdback.held().for_each(|slice| lines.extend_from_slice(slice));
        lines.extend_from_slice(part);
        Cow::Owned(lines)
    }
}

#[cfg(test)]
mod tests {
    use kimi_errors::ErrorKind;

    use super::*;

    /// Pushes a chunk, and returns all that goes and the error after it.
    fn push(watch: &mut Watch, chunk: &str) -> (String, Option<ErrorKind>) {
        let (first, error) = watch.push(Bytes::copy_from_slice(chunk.as_bytes()));
        let mut out = first.map(|it| it.to_vec()).unwrap_or_default();
        while let Some(frame) = watch.pop() {
            out.extend_from_slice(&frame.into_data().unwrap());
        }
        (String::from_utf8(out).unwrap(), error.map(|error| error.kind()))
    }

    const ERROR: &str = r#"data: {"error":{"message":"x","type":"engine_overloaded_error"}}"#;

    #[test]
    fn an_error_comes_after_what_stood_before_it() {
        for before in ["", "data: 1\n\n", ": ping\n", "data: 1\n\ndata: 2\n\n"] {
            let mut watch = Watch::new(StreamEnd::Required);
            let chunk = format!("{before}{ERROR}\n\ndata: behind\n\n");
            let expected = (before.to_owned(), Some(ErrorKind::Overloaded));
            assert_eq!(push(&mut watch, &chunk), expected);
            assert!(watch.is_empty());
        }
    }

    #[test]
    fn an_error_in_pieces_is_dropped_whole() {
        let mut watch = Watch::new(StreamEnd::Required);
        let (head, tail) = ERROR.split_at(20);
        assert_eq!(push(&mut watch, &format!("data: 1\n\n{head}")).0, "data: 1\n\n");
        assert_eq!(push(&mut watch, tail), (String::new(), None));
        assert_eq!(push(&mut watch, "\n\nx"), (String::new(), Some(ErrorKind::Overloaded)));
        assert!(watch.is_empty());
        assert_eq!(watch.events(), 1);
    }

    #[test]
    fn an_event_called_error_is_one_whatever_it_says() {
        for data in ["{}", "oops", "{\"a\":1}\ndata: 2", "null", ""] {
            let mut watch = Watch::new(StreamEnd::Required);
            let (out, error) = push(&mut watch, &format!("event: error\ndata: {data}\n\n"));
            assert!(out.is_empty() && error.is_some(), "{data:?}");
        }
    }

    #[test]
    fn an_event_too_long_to_hold_is_judged_by_its_beginning() {
        let long = "x".repeat(70_000);
        let mut watch = Watch::new(StreamEnd::Required);
        let begun = format!(r#"data: {{"error":{{"type":"engine_overloaded_error","m":"{long}"#);
        assert_eq!(push(&mut watch, &begun), (String::new(), Some(ErrorKind::Overloaded)));

        let mut watch = Watch::new(StreamEnd::Optional);
        let begun = format!(r#"data: {{"choices":["{long}"#);
        assert_eq!(push(&mut watch, &begun), (begun, None));
        assert!(matches!(watch.end(false), Ending::Truncated));
        assert_eq!(push(&mut watch, "\"]}\n\n"), ("\"]}\n\n".to_owned(), None));
        assert_eq!(watch.events(), 1);
    }

    #[test]
    fn an_event_is_not_judged_by_its_beginning_because_the_one_before_was_long() {
        // Without its last member it would be a Connect error.
        let (head, tail) = ("data: {\"code\":\"unknown\",\"message\":\"x\"", ",\"id\":1}\n\n");
        let mut watch = Watch::new(StreamEnd::Required);
        let long = format!("data: {}", "x".repeat(65_480));
        assert_eq!(push(&mut watch, &long), (String::new(), None));
        let (out, error) = push(&mut watch, &format!("\n\n{head}"));
        assert_eq!((out.len(), error), (long.len() + 2, None));
        assert_eq!(push(&mut watch, tail), (format!("{head}{tail}"), None));
    }

    #[test]
    fn a_comment_too_long_to_hold_is_no_event() {
        let mut watch = Watch::new(StreamEnd::Required);
        let long = format!(": {}", "x".repeat(70_000));
        assert_eq!(push(&mut watch, &long), (long, None));
        assert_eq!(push(&mut watch, "x\n"), ("x\n".to_owned(), None));
        assert_eq!(watch.events(), 0);
    }

    #[test]
    fn only_a_stream_that_is_complete_ends_properly() {
        for (text, required, optional) in [
            ("", false, true),
            ("data: {}\n\n", false, true),
            (": ping", false, true),
            ("data: {}\n", false, false),
            ("da", false, false),
            ("data: [DONE]\n\n", true, true),
            ("data: [DONE]", true, true),
            ("data: [DONE]\n\nda", true, true),
        ] {
            for (end, is_proper) in
                [(StreamEnd::Required, required), (StreamEnd::Optional, optional)]
            {
                let mut watch = Watch::new(end);
                let _ = push(&mut watch, text);
                let ending = watch.end(false);
                assert_eq!(matches!(ending, Ending::Proper), is_proper, "{text:?} {end:?}");
            }
        }
    }

    #[test]
    fn an_error_without_its_last_line_end_is_that_error() {
        let mut watch = Watch::new(StreamEnd::Required);
        let _ = push(&mut watch, ERROR);
        assert!(matches!(watch.end(false), Ending::Error(e) if e.kind() == ErrorKind::Overloaded));
        let mut watch = Watch::new(StreamEnd::Required);
        let _ = push(&mut watch, &ERROR[..ERROR.len() - 1]);
        assert!(matches!(watch.end(true), Ending::Truncated));
    }
}
