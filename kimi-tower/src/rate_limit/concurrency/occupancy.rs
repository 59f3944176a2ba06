/// How many requests have a permit, or wait for one: for gauges. See
/// [`ConcurrencyLayer::occupancy`](super::ConcurrencyLayer::occupancy).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Occupancy {
    /// The requests that have a permit.
    pub held: usize,
    /// The requests that wait for one.
    pub waiting: usize,
    /// The callers they belong to.
    pub keys: usize,
}
