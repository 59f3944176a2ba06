use std::{error::Error as StdError, fmt, sync::Arc};

use super::{Costs, Rule, Unit};

/// The most rules of a plan: 4, ours. Requests and tokens, of a minute and of a day, are four.
pub const MAX_RULES: usize = 4;

/// The rules of one sort of caller, which are decided together: all are charged, or none.
///
/// ```
/// use kimi_tower::rate_limit::{Gcra, Plan, Quota, Rule};
///
/// let plan = Plan::new(Rule::requests(Gcra::new(Quota::try_per_minute(100)?)))
///     .try_with(Rule::tokens(Gcra::new(Quota::try_per_minute(2_000_000)?)))?;
/// assert_eq!(plan.rules().len(), 2);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    rules: Vec<Rule>,
    counts_tokens: bool,
}

impl Plan {
    /// Creates a plan of one rule.
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        Self { counts_tokens: rule.unit() == Unit::Tokens, rules: vec![rule] }
    }

    /// Creates a plan without a rule: what it is the plan of passes uncounted.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { rules: Vec::new(), counts_tokens: false }
    }

    /// Adds a rule.
    ///
    /// # Errors
    ///
    /// [`TooManyRules`](PlanError::TooManyRules) for a fifth, [`SameName`](PlanError::SameName) if
    /// another has its name.
    pub fn try_with(mut self, rule: Rule) -> Result<Self, PlanError> {
        if self.rules.len() == MAX_RULES {
            return Err(PlanError::TooManyRules);
        }
        if self.rules.iter().any(|other| other.name() == rule.name()) {
            return Err(PlanError::SameName);
        }
        self.counts_tokens |= rule.unit() == Unit::Tokens;
        self.rules.push(rule);
        Ok(self)
    }

    /// Returns the rules.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns the costs of a request: 1 for each rule of requests, `tokens` for each of tokens.
    #[inline]
    #[must_use]
    pub fn costs(&self, tokens: impl FnOnce() -> u32) -> Costs {
        let mut costs = Costs::default();
        let mut tokens = Some(tokens);
        let mut known = 0;
        for (rule, cost) in self.rules.iter().zip(&mut costs.0) {
            *cost = match rule.unit() {
                Unit::Requests => 1,
                Unit::Tokens => {
                    // It is asked once, and only if it matters.
                    known = tokens.take().map_or(known, |tokens| tokens());
                    known
                }
            };
        }
        costs
    }

    /// Returns whether a rule counts tokens.
    #[inline]
    #[must_use]
    pub const fn counts_tokens(&self) -> bool {
        self.counts_tokens
    }
}

impl From<Rule> for Plan {
    fn from(rule: Rule) -> Self {
        Self::new(rule)
    }
}

/// The plans of all callers. Which of them a caller has, the layer is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plans(Arc<[Plan]>);

impl Plans {
    /// Returns the plans, `None` if there are none. A plan is called by its place in this order.
    #[must_use]
    pub fn new(plans: impl IntoIterator<Item = Plan>) -> Option<Self> {
        let plans: Arc<[Plan]> = plans.into_iter().collect();
        (!plans.is_empty()).then_some(Self(plans))
    }

    /// Returns the plan at `index`, or the last if there are fewer.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> &Plan {
        &self.0[self.clamp(index)]
    }

    /// Returns the place of the plan that [`get`](Self::get) returns.
    #[inline]
    pub(super) fn clamp(&self, index: usize) -> usize {
        index.min(self.0.len() - 1)
    }

    /// Returns all plans.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Plan> {
        self.0.iter()
    }
}

impl<P: Into<Plan>> From<P> for Plans {
    fn from(plan: P) -> Self {
        Self(Arc::from([plan.into()]))
    }
}

/// Why there is no such plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PlanError {
    /// A name is not 1 to 32 characters of `a-z 0-9 -`.
    Name,
    /// Two rules have one name.
    SameName,
    /// There are more than [`MAX_RULES`].
    TooManyRules,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "a rule's name is not 1 to 32 characters of a-z, 0-9 and -",
            Self::SameName => "two rules of a plan have one name",
            Self::TooManyRules => "a plan has more than 4 rules",
        })
    }
}

impl StdError for PlanError {}
