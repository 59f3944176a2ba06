use std::num::NonZeroU32;

/// What becomes of requests while Redis does not answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OnError {
    /// They pass, uncounted: to serve matters more than the limit.
    Open,
    /// They are refused as [`Unavailable`](kimi_errors::ErrorKind::Unavailable), to be tried again in
    /// a second: the limit matters more. The default, since it is the one that promises what the limit
    /// does.
    #[default]
    Closed,
    /// Each replica holds them to its share, in its own memory: a quota and a burst of `L` are
    /// `L / replicas` there, at least 1. What costs more than a share takes all of it.
    Local {
        /// How many replicas there are.
        replicas: NonZeroU32,
    },
}
