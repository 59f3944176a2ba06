//! Who is here: requests in flight, in all and for each conversation.
//!
//! P1. A request is present from its call to the end of its body; dropping either ends it.
//! P2. At most one present request holds a conversation.
//! P3. A conversation's entry is gone once nobody is present in it.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::watch;

use crate::sync::Lock;

/// The counts. Locked for a few map look-ups only, and nothing is locked inside.
#[derive(Debug, Default)]
pub(super) struct Present {
    counts: Lock<Counts>,
    /// The number in flight, for those who wait for it to become 0.
    in_flight: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Counts {
    max_in_flight: usize,
    conversations: HashMap<String, Conversation>,
    /// The most that were ever present at once, by conversation.
    max_overlap: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct Conversation {
    present: usize,
    held: bool,
}

/// One request's presence. Dropping it takes the request out of every count.
#[derive(Debug)]
pub(super) struct Presence {
    present: Arc<Present>,
    conversation: Option<String>,
    holds: bool,
}

impl Present {
    /// Counts a request in. Its conversation is known only when its body has been read.
    pub(super) fn enter(self: &Arc<Self>) -> Presence {
        let mut now = 0;
        self.in_flight.send_modify(|count| {
            *count += 1;
            now = *count;
        });
        let mut counts = self.counts.lock();
        counts.max_in_flight = counts.max_in_flight.max(now);
        Presence { present: Arc::clone(self), conversation: None, holds: false }
    }

    pub(super) fn in_flight(&self) -> usize {
        *self.in_flight.borrow()
    }

    pub(super) fn max_in_flight(&self) -> usize {
        self.counts.lock().max_in_flight
    }

    pub(super) fn max_overlap(&self, conversation: &str) -> usize {
        self.counts.lock().max_overlap.get(conversation).copied().unwrap_or(0)
    }

    pub(super) async fn idle(&self) {
        // It fails only if the sender is gone, and `self` is the sender.
        let _ = self.in_flight.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Presence {
    /// Joins a conversation and returns how many are present in it now, this one included.
    pub(super) fn join(&mut self, conversation: &str) -> usize {
        let mut counts = self.present.counts.lock();
        let Counts { conversations, max_overlap, .. } = &mut *counts;
        let entry = conversations.entry(conversation.to_owned()).or_default();
        entry.present += 1;
        let max = max_overlap.entry(conversation.to_owned()).or_default();
        *max = entry.present.max(*max);
        self.conversation = Some(conversation.to_owned());
        entry.present
    }

    /// Takes hold of the joined conversation; `false` if another request holds it. A request
    /// without a conversation is in nobody's way.
    pub(super) fn hold(&mut self) -> bool {
        let Some(name) = &self.conversation else {
            return true;
        };
        let mut counts = self.present.counts.lock();
        let Some(entry) = counts.conversations.get_mut(name) else {
            return true;
        };
        self.holds = !entry.held;
        entry.held = true;
        self.holds
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(name) = self.conversation.take() {
            let mut counts = self.present.counts.lock();
            if let Some(entry) = counts.conversations.get_mut(&name) {
                entry.present -= 1;
                entry.held &= !self.holds;
                if entry.present == 0 {
                    counts.conversations.remove(&name);
                }
            }
        }
        self.present.in_flight.send_modify(|count| *count -= 1);
    }
}
