use super::{Level, MAX_RULES};

/// What a request costs by each rule of its plan, in their order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Costs(pub(super) [u32; MAX_RULES]);

impl Costs {
    #[cfg(feature = "redis")]
    pub(crate) fn each(cost: impl FnMut(usize) -> u32) -> Self {
        Self(std::array::from_fn(cost))
    }

    /// Returns the cost by the rule at `index`; 0 if there is none.
    #[must_use]
    pub fn of(&self, index: usize) -> u32 {
        self.0.get(index).copied().unwrap_or(0)
    }
}

/// How much is left of each rule of a plan, in their order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Levels(Option<Box<[Level]>>);

impl Levels {
    /// None, for whoever does not ask.
    pub(super) const NONE: Self = Self(None);

    /// Returns the levels; none if nobody asked for them.
    #[must_use]
    pub fn as_slice(&self) -> &[Level] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// The levels of the rules of a plan, in their order.
impl FromIterator<Level> for Levels {
    fn from_iter<I: IntoIterator<Item = Level>>(levels: I) -> Self {
        Self(Some(levels.into_iter().collect()))
    }
}
