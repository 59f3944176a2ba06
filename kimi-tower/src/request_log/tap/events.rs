//! An answer that comes in events.

use kimi_errors::Error;

use super::{Told, alike::Alike, aside::Aside};
use crate::body::{
    event::Event,
    sse::EventScanner,
    stream_end::{LastWord, last_word},
    usage::AnswerTap,
};

/// Reads a stream of server-sent events.
#[derive(Debug)]
pub(super) struct Events {
    tap: AnswerTap,
    scanner: EventScanner,
    /// What has come of the event that is not whole.
    aside: Aside,
    /// What most of the others are like.
    alike: Alike,
    /// Whether the last chunk ended where an event does, without a doubt.
    is_between: bool,
    has_content: bool,
    is_complete: bool,
    error: Option<Error>,
}

/// What one event is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// No event at all, or one that only opens the answer.
    Nothing,
    Content,
    /// The end of the stream, or an error.
    Last,
}

impl Events {
    pub(super) fn new(tap: AnswerTap) -> Self {
        Self {
            tap,
            scanner: EventScanner::default(),
            aside: Aside::default(),
            alike: Alike::default(),
            is_between: true,
            has_content: false,
            is_complete: false,
            error: None,
        }
    }

    /// Reads a chunk, and returns whether the first content is in it.
    #[inline]
    pub(super) fn read(&mut self, chunk: &[u8]) -> bool {
        // It says nothing that is not known, and leaves everything as it is.
        if self.is_between && self.alike.is_like(chunk) {
            return false;
        }
        self.read_new(chunk)
    }

    #[inline(never)]
    fn read_new(&mut self, chunk: &[u8]) -> bool {
        let had_content = self.has_content;
        let said_before = self.tap.said();
        self.tap.read(chunk);
        if self.tap.said() != said_before {
            // One that was read as saying nothing new may say something again.
            self.alike = Alike::default();
        }
        let was_between = self.is_between;
        let mut start = 0;
        while let Some(length) = self.scanner.read_one(&chunk[start..]) {
            let kind = self.see(&chunk[start..start + length]);
            // One event alone in its chunk is what others may be like.
            let is_alone = start == 0 && length == chunk.len();
            if is_alone && was_between && kind == Kind::Content {
                let said = self.tap.said();
                if said == said_before {
                    self.alike.learn(chunk);
                }
            }
            start += length;
        }
        self.aside.push(&chunk[start..]);
        self.is_between = self.scanner.is_between_events() && chunk.ends_with(b"\n\n");
        self.has_content && !had_content
    }

    /// Looks at the event that `part` ends.
    fn see(&mut self, part: &[u8]) -> Kind {
        let kind = {
            let lines = if self.aside.is_empty() {
                part
            } else {
                self.aside.push(part);
                self.aside.as_bytes()
            };
            match Event::parse(lines) {
                None => Kind::Nothing,
                Some(event) if event.is_end_mark() => {
                    self.is_complete = true;
                    Kind::Last
                }
                Some(event) => match event.error() {
                    Some(error) => {
                        self.error.get_or_insert(error);
                        Kind::Last
                    }
                    None if event.is_opening() => Kind::Nothing,
                    None => Kind::Content,
                },
            }
        };
        self.aside.clear();
        self.has_content |= kind == Kind::Content;
        kind
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn told(&mut self, is_over: bool) -> Told {
        if is_over && !self.is_complete && self.error.is_none() {
            match last_word(self.aside.as_bytes()) {
                Some(LastWord::End) => self.is_complete = true,
                Some(LastWord::Error(error)) => self.error = Some(error),
                None => {}
            }
        }
        let (usage, finish_reason) = self.tap.said();
        Told { usage, finish_reason, error: self.error.take(), is_complete: Some(self.is_complete) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::body::described::{Content, Described};

    fn tap() -> AnswerTap {
        let events = Described { content: Content::EventStream, ..Described::default() };
        AnswerTap::described(events).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Those that are passed over, since they are like one before, say nothing new.
        #[test]
        fn prop_what_is_said_is_what_all_events_say(
            said in vec((select(&["null", "\"stop\"", "\"length\""][..]), select(&["", "1", "2"][..])), 0..9),
        ) {
            let (mut events, mut all) = (Events::new(tap()), tap());
            for (reason, tokens) in said {
                let usage = match tokens {
                    "" => String::new(),
                    tokens => format!(",\"usage\":{{\"prompt_tokens\":{tokens}}}"),
                };
                let choice = r#""choices":[{"delta":{"content":"你好"},"finish_reason":"#;
                let event = format!("data: {{{choice}{reason}}}]{usage}}}\n\n");
                events.read(event.as_bytes());
                all.read(event.as_bytes());
            }
            let told = events.told(true);
            prop_assert_eq!((told.usage, told.finish_reason), all.said());
        }
    }
}
