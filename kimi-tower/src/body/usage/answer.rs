//! What an answer says of itself.

use super::{
    FinishReason, Usage, UsageTap,
    finish::Finish,
    search::{FINISH_REASON, STOP_REASON},
    tap::ReadTexts,
};
use crate::body::described::Described;

/// Finds what an answer says it has used, and why it ended, in the chunks of its body.
#[derive(Debug)]
pub(crate) struct AnswerTap {
    usage: UsageTap,
    finish: Finishes,
}

#[derive(Debug)]
struct Finishes([Finish; 2]);

impl AnswerTap {
    /// Returns a tap for a body that is described so; `None` as [`UsageTap::of`] does.
    pub(crate) fn described(described: Described) -> Option<Self> {
        let usage = UsageTap::described(described)?;
        Some(Self { usage, finish: Finishes([&FINISH_REASON, &STOP_REASON].map(Finish::new)) })
    }

    /// Reads the next chunk of the body.
    pub(crate) fn read(&mut self, chunk: &[u8]) {
        self.usage.read_with(chunk, &mut self.finish);
    }

    /// Returns what the body has said until now.
    pub(crate) fn said(&self) -> (Option<Usage>, Option<FinishReason>) {
        (self.usage.usage(), self.finish.0.iter().find_map(Finish::reason))
    }
}

impl ReadTexts for Finishes {
    fn read(&mut self, text: &[u8]) {
        self.0.iter_mut().for_each(|finish| finish.read(text));
    }

    fn start_again(&mut self) {
        self.0.iter_mut().for_each(Finish::start_again);
    }
}
