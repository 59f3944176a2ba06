use super::{Limit, PlanError};

/// The longest name of a rule, in bytes: 32, ours. It travels in every answer.
const MAX_NAME_BYTES: usize = 32;

/// What a rule counts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Unit {
    /// Requests: each costs one.
    Requests,
    /// Tokens: what a request will cost is estimated at first, and corrected when it is known.
    Tokens,
}

/// One limit, what it counts, and its name.
///
/// ```
/// use kimi_tower::rate_limit::{Gcra, Quota, Rule, SlidingWindow, Unit};
///
/// let requests = Rule::requests(Gcra::new(Quota::try_per_minute(3)?));
/// assert_eq!((requests.name(), requests.unit()), ("requests", Unit::Requests));
/// let daily = SlidingWindow::try_with_sub_windows(Quota::try_per_day(1_500_000)?, 1_440)?;
/// let daily = Rule::tokens(daily).try_named("daily-tokens")?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    name: &'static str,
    unit: Unit,
    limit: Limit,
}

impl Rule {
    /// Creates a limit of requests, named `requests`.
    #[must_use]
    pub fn requests(limit: impl Into<Limit>) -> Self {
        Self { name: Unit::Requests.name(), unit: Unit::Requests, limit: limit.into() }
    }

    /// Creates a limit of tokens, named `tokens`.
    #[must_use]
    pub fn tokens(limit: impl Into<Limit>) -> Self {
        Self { name: Unit::Tokens.name(), unit: Unit::Tokens, limit: limit.into() }
    }

    /// Sets the name by which answers, logs and facts call it.
    ///
    /// # Errors
    ///
    /// [`Name`](PlanError::Name) if it is not 1 to 32 characters of `a-z 0-9 -`.
    pub fn try_named(mut self, name: &'static str) -> Result<Self, PlanError> {
        let is_plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(is_plain) {
            return Err(PlanError::Name);
        }
        self.name = name;
        Ok(self)
    }

    /// Returns its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what it counts.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// Returns the limit itself.
    #[must_use]
    pub const fn limit(&self) -> &Limit {
        &self.limit
    }
}

impl Unit {
    /// Returns `requests` or `tokens`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }
}
