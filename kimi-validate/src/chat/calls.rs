//! Which tool message answers which call.
//!
//! The platform asks that the tool messages that answer an assistant's calls follow its message at
//! once, in any order, and answer each of them:
//!
//! - of a tool message that answers none it says «`tool_call_id` … is not found» (facts
//!   `plat.tool_call_id`);
//! - of calls before whose answer any other message comes, or that end the conversation, that they «did
//!   not have response messages» (MoonshotAI/kimi-cli#1977, charmbracelet/crush#3847);
//! - two calls of one message with the same id are refused (openclaw/openclaw#84730). Those of different
//!   messages are not: kimi-k3 itself begins to count anew with each (fw-ai/fireconnect#16).
//!
//! Whether a call may be answered twice nobody says, so it may. A message whose role is not known, or which
//! is not judged, may have answered or made calls: until the next that is neither, nothing is said of them.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{
    Role,
    found::{Found, Kept, Slots},
    pass::Pass,
    path::Step,
    table::Slot,
};
use crate::{
    json::JsonType,
    violation::{Expected, Rule},
};

/// The calls and functions named so far. Nothing is allocated for a body that names none. Hashed
/// with a random key, so that no choice of ids makes a look-up slow.
#[derive(Debug, Default)]
pub(super) struct Calls<'a> {
    /// The calls of the message that is being read.
    made: Vec<Call<'a>>,
    /// Those of the assistant's message to be answered now, and its index.
    open: Vec<Call<'a>>,
    message: usize,
    /// Their ids, and whether each is answered.
    answered: HashMap<Cow<'a, str>, bool>,
    /// Whether there may be other calls than these.
    is_in_doubt: bool,
    functions: HashSet<Cow<'a, str>>,
}

#[derive(Debug)]
struct Call<'a> {
    index: usize,
    at: usize,
    id: Cow<'a, str>,
}

impl<'a> Calls<'a> {
    /// Notes a call of the message that is being read.
    pub(super) fn made(&mut self, index: usize, at: usize, id: Cow<'a, str>) {
        self.made.push(Call { index, at, id });
    }

    /// Notes a function, and returns whether no other has its name.
    pub(super) fn is_new_function(&mut self, name: Cow<'a, str>) -> bool {
        self.functions.insert(name)
    }

    /// Opens the calls that were made, and returns those whose id another has: index and offset.
    fn ask(&mut self, message: usize) -> Vec<(usize, usize)> {
        self.message = message;
        self.open = std::mem::take(&mut self.made);
        self.answered.clear();
        let mut twice = Vec::new();
        let answered = &mut self.answered;
        self.open.retain(|call| {
            let is_new = answered.insert(call.id.clone(), false).is_none();
            if !is_new {
                twice.push((call.index, call.at));
            }
            is_new
        });
        twice
    }

    /// Returns whether a call with this id is there to be answered.
    fn answer(&mut self, id: &str) -> bool {
        self.is_in_doubt || self.answered.get_mut(id).map(|it| *it = true).is_some()
    }

    /// Forgets the open calls, since a message may have changed them.
    pub(super) fn doubt(&mut self) {
        self.open.clear();
        self.answered.clear();
        self.is_in_doubt = true;
    }

    /// Forgets the open calls and returns those that nothing answered: index and offset.
    fn close(&mut self) -> Vec<(usize, usize)> {
        let open = std::mem::take(&mut self.open);
        let missed = open.iter().filter(|call| self.answered.get(&call.id) == Some(&false));
        let missed = missed.map(|call| (call.index, call.at)).collect();
        self.answered.clear();
        missed
    }
}

impl Pass<'_, '_> {
    /// Pairs a message with the calls before it.
    pub(super) fn judge_calls(
        &mut self,
        index: usize,
        start: usize,
        role: Option<Role>,
        kept: &Slots,
    ) {
        match role {
            Some(Role::Tool) => self.judge_answer(start, kept),
            None => self.calls.doubt(),
            Some(_) => self.end_calls(),
        }
        if role == Some(Role::Assistant) && !self.calls.made.is_empty() {
            for (call, at) in self.calls.ask(index) {
                self.report_call(index, call, at, Rule::Unique);
            }
        }
        self.calls.made.clear();
    }

    fn judge_answer(&mut self, start: usize, kept: &Slots) {
        let is_asked_for =
            self.profile.message.iter().any(|field| field.slot == Some(Slot::ToolCallId));
        match kept.get(Slot::ToolCallId) {
            _ if !is_asked_for => {}
            Some(Kept { at, found: Found::Text(id) }) => {
                let id = self.unescaped(id);
                if !self.calls.answer(&id) {
                    let kind = Some(JsonType::String);
                    self.report_below(
                        "tool_call_id",
                        at,
                        Rule::ToolCallId,
                        kind,
                        Expected::Nothing,
                    );
                }
            }
            None | Some(Kept { found: Found::Null, .. }) => {
                self.report_below("tool_call_id", start, Rule::Required, None, Expected::Nothing);
            }
            Some(_) => {}
        }
    }

    /// Reports the calls that wait for an answer which does not come.
    pub(super) fn end_calls(&mut self) {
        self.calls.is_in_doubt = false;
        if self.calls.open.is_empty() {
            return;
        }
        let message = self.calls.message;
        for (call, at) in self.calls.close() {
            self.report_call(message, call, at, Rule::Unanswered);
        }
    }

    fn report_call(&mut self, message: usize, call: usize, at: usize, rule: Rule) {
        let place = [
            Step::Name("messages"),
            Step::Index(message),
            Step::Name("tool_calls"),
            Step::Index(call),
            Step::Name("id"),
        ];
        self.report_at(&place, at, rule, Some(JsonType::String));
    }
}
