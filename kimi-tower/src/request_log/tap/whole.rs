//! An answer that is one text of JSON.

use super::{Told, aside::Aside};
use crate::body::{
    described::Described,
    usage::{AnswerTap, FinishReason, Usage, said_by},
};

/// Reads a text of JSON.
#[derive(Debug)]
pub(super) struct Whole {
    status: u16,
    described: Described,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing of it has come.
    Before,
    /// It comes in pieces. Boxed, since nearly all come in one.
    Pieces(Box<Pieces>),
    /// All of it was read.
    Done {
        usage: Option<Usage>,
        finish_reason: Option<FinishReason>,
        error: Option<kimi_errors::Error>,
    },
}

#[derive(Debug)]
struct Pieces {
    tap: AnswerTap,
    aside: Aside,
}

impl Whole {
    pub(super) const fn new(status: u16, described: Described) -> Self {
        Self { status, described, state: State::Before }
    }

    pub(super) fn read(&mut self, chunk: &[u8], is_last: bool) {
        match &mut self.state {
            // Before => (Done | Pieces)
            State::Before => {
                self.state = if is_last {
                    self.done(said_by(chunk), chunk)
                } else {
                    let Some(mut tap) = AnswerTap::described(self.described) else { return };
                    tap.read(chunk);
                    let mut aside = Aside::default();
                    aside.push(chunk);
                    State::Pieces(Box::new(Pieces { tap, aside }))
                };
            }
            // Pieces => Pieces
            State::Pieces(pieces) => {
                pieces.tap.read(chunk);
                pieces.aside.push(chunk);
            }
            State::Done { .. } => {}
        }
    }

    pub(super) fn told(&mut self, is_over: bool) -> Told {
        let state = std::mem::replace(&mut self.state, State::Before);
        let state = match state {
            // Half of a number is another number: what was cut is not judged.
            State::Pieces(pieces) if is_over => {
                self.done(pieces.tap.said(), pieces.aside.as_bytes())
            }
            State::Pieces(pieces) => {
                let (usage, finish_reason) = pieces.tap.said();
                State::Done { usage, finish_reason, error: None }
            }
            state => state,
        };
        match state {
            State::Done { usage, finish_reason, error } => {
                Told { usage, finish_reason, error, is_complete: None }
            }
            _ => Told::default(),
        }
    }

    fn done(&self, said: (Option<Usage>, Option<FinishReason>), text: &[u8]) -> State {
        let error = kimi_errors::decode_body(Some(self.status), text);
        let (usage, finish_reason) = said;
        State::Done { usage, finish_reason, error }
    }
}
