/// What becomes of a request whose turn cannot be asked for, because Redis does not answer.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OnError {
    /// It goes at once, beside any other of its session.
    Open,
    /// It is refused: `Unavailable`, -2001 with 503.
    #[default]
    Closed,
    /// It takes its turn among those of its process, which then also wait for each other.
    Local,
}
