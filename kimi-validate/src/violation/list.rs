use std::{error::Error as StdError, fmt};

use super::{Rule, Violation};

/// All that is wrong with a body, in input order: at least one.
///
/// At most as many as the profile says are kept, 32 by default, and the [others](Self::truncated)
/// counted. A body that is not JSON, too deep or too large has exactly one: what ended the reading.
///
/// As an error it shows the first, in one line, and says how many more there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Violations {
    /// Never empty.
    list: Vec<Violation>,
    limit: usize,
    truncated: usize,
}

impl Violations {
    /// Returns `None` if there is nothing wrong.
    pub(super) fn new(list: Vec<Violation>, limit: usize, truncated: usize) -> Option<Self> {
        (!list.is_empty()).then_some(Self { list, limit, truncated })
    }

    /// Returns them, in input order.
    #[must_use]
    pub fn as_slice(&self) -> &[Violation] {
        &self.list
    }

    /// Returns the first. There is always one.
    #[must_use]
    pub fn first(&self) -> &Violation {
        &self.list[0]
    }

    /// Iterates over them, in input order.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.list.iter()
    }

    /// Returns how many are listed at most: what the profile says, or 1 where the reading ended at
    /// the fault.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Returns how many more there are than are listed.
    #[must_use]
    pub fn truncated(&self) -> usize {
        self.truncated
    }

    /// Returns whether the body is no JSON text, so that nothing else could be judged.
    #[must_use]
    pub fn is_syntax(&self) -> bool {
        matches!(
            self.first().rule,
            Rule::EmptyBody
                | Rule::Bom
                | Rule::Utf8
                | Rule::Syntax
                | Rule::LoneSurrogate
                | Rule::TrailingData
                | Rule::NumberOverflow
        )
    }

    /// Returns how many there are besides the first.
    pub(super) fn others(&self) -> usize {
        self.list.len() - 1 + self.truncated
    }
}

/// Writes the first, and how many more there are: `/messages (required): … (and 2 more)`.
impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first())?;
        match self.others() {
            0 => Ok(()),
            others => write!(f, " (and {others} more)"),
        }
    }
}

impl StdError for Violations {}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Violation> for Violations {
    /// One, and nothing else.
    fn from(only: Violation) -> Self {
        Self { list: vec![only], limit: 1, truncated: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::violation::{Expected, samples};

    #[test]
    fn travels_as_an_error() {
        fn travels<T: StdError + Send + Sync + Clone + 'static>() {}
        travels::<Violations>();
        travels::<Violation>();
    }

    #[test]
    fn shows_the_first_and_how_many_more_there_are() {
        let first = samples::violation("/messages", Rule::Required, Expected::Nothing);
        let one = Violations::from(first.clone());
        assert_eq!(one.to_string(), "/messages (required): messages must be a non-empty array");
        let more = Violations::new(vec![first.clone(), first], 2, 5).unwrap();
        assert_eq!(
            more.to_string(),
            "/messages (required): messages must be a non-empty array (and 6 more)"
        );
    }

    #[test]
    fn without_any_there_is_no_list() {
        assert_eq!(Violations::new(Vec::new(), 32, 0), None);
    }
}
