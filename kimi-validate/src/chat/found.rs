//! What the pass found, as small as it can be: it is handed on several times a value.

use super::table::Slot;
use crate::json::Str;

/// What a value turned out to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    /// It broke a rule, which has been reported, or no rule looked at it.
    Nothing,
    Null,
    Boolean(bool),
    Number,
    Text(Extent),
    /// A text that is blank. Only a message's content is left to its judge.
    Blank(Extent),
    /// Which of the texts allowed.
    Choice(usize),
    /// An object, with what its member in [`Slot::Type`] is and whether there is one in
    /// [`Slot::Schema`].
    Object {
        choice: Option<u8>,
        has_schema: bool,
    },
    /// An array and how many items it has.
    Array {
        start: u32,
        end: u32,
        items: u32,
    },
}

/// Where a text stands, without its quotes. No body is longer than 32 bits count, so that what is
/// found is small, which is felt: it is handed on several times a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Extent {
    pub(super) start: u32,
    pub(super) end: u32,
    is_escaped: bool,
}

/// A value that is looked at again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) at: usize,
    pub(super) found: Found,
}

/// The values of one object that are looked at again, by their slots.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slots([Option<Kept>; 6]);

impl Slots {
    pub(super) fn place(slot: Slot) -> usize {
        match slot {
            Slot::Model | Slot::Role | Slot::Type => 0,
            Slot::Stream | Slot::Content | Slot::Schema => 1,
            Slot::ConversationId | Slot::Partial => 2,
            Slot::Logprobs | Slot::ToolCalls => 3,
            Slot::TopLogprobs | Slot::ToolCallId => 4,
            Slot::Format | Slot::Tools => 5,
        }
    }

    pub(super) fn keep(&mut self, slot: Slot, value: Kept) {
        self.0[Self::place(slot)] = Some(value);
    }

    pub(super) fn get(&self, slot: Slot) -> Option<Kept> {
        self.0[Self::place(slot)]
    }

    pub(super) fn found(&self, slot: Slot) -> Option<Found> {
        self.get(slot).map(|kept| kept.found)
    }

    pub(super) fn text(&self, slot: Slot) -> Option<Str> {
        match self.found(slot) {
            Some(Found::Text(text)) => Some(text.into()),
            _ => None,
        }
    }
}

impl From<Str> for Extent {
    fn from(text: Str) -> Self {
        let Str { start, end, is_escaped } = text;
        Self { start: short(start), end: short(end), is_escaped }
    }
}

impl From<Extent> for Str {
    fn from(extent: Extent) -> Self {
        let Extent { start, end, is_escaped } = extent;
        Self { start: start as usize, end: end as usize, is_escaped }
    }
}

/// Returns an offset or a count, which are below the size of a body.
pub(super) fn short(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
