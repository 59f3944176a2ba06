use std::time::Duration;

/// What becomes of a request whose session has another one under way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Policy {
    /// It waits for its turn.
    Queue {
        /// How many may wait; one more is refused at once, as with [`Reject`](Self::Reject).
        max_waiting: usize,
        /// How long it waits at most, from its call on; then it is refused. A deadline of its own
        /// that is earlier counts instead.
        max_wait: Duration,
    },
    /// It is refused, as Kimi itself does: `StreamBusy`, -2005 with 429.
    Reject,
    /// It takes the turn. The one under way ends, with an error where its answer has begun, and
    /// whoever waited is refused: the newest wins.
    Supersede,
}

impl Policy {
    /// How many may wait if nobody says: 16, ours. Somebody who sends one message after another does
    /// not wait for so many answers.
    pub const DEFAULT_MAX_WAITING: usize = 16;

    /// How long one waits if nobody says: 60 s, ours. An answer seldom takes longer.
    pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(60);
}

impl Default for Policy {
    /// [`Queue`](Self::Queue) of 16 for 60 s.
    fn default() -> Self {
        Self::Queue { max_waiting: Self::DEFAULT_MAX_WAITING, max_wait: Self::DEFAULT_MAX_WAIT }
    }
}
