use std::time::Duration;

/// What becomes of a request that a limit does not admit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Admission {
    /// It is refused at once, and told how long to wait. What a server does, and the default.
    Reject,
    /// It waits for its turn, in the order in which requests were asked. What a client does.
    Wait {
        /// The longest wait. Who would have to wait longer is refused at once, and so is who
        /// would wait past the request's [`Deadline`](crate::deadline::Deadline).
        max_wait: Duration,
        /// How many requests of one caller wait at a time, at most. The next is refused.
        max_queue: usize,
    },
    /// It passes; that it would have been refused is told to logs and facts alone. For trying a
    /// limit before it is one.
    Shadow,
}
