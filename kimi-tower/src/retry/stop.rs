/// Why a request that failed was not tried again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Stop {
    /// Another try would not help, by the error's advice or by one's own rule.
    Hopeless,
    /// The service may have acted on the request, which is not known to be safe to repeat.
    OutcomeUnknown,
    /// There were as many retries as one request may have.
    RetriesUsedUp,
    /// There were as many retries as all requests together may have.
    BudgetSpent,
    /// The server asks for a longer wait than is waited for.
    HintTooLong,
    /// The deadline comes before the next attempt, or came during this one.
    Deadline,
    /// The request's body was too long to be kept, or has failed.
    BodyNotKept,
    /// The inner service could not take another request, or too many wait for it already.
    NotReady,
}

impl Stop {
    /// Returns the stable name, such as `budget_spent`: for logs and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hopeless => "hopeless",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::RetriesUsedUp => "retries_used_up",
            Self::BudgetSpent => "budget_spent",
            Self::HintTooLong => "hint_too_long",
            Self::Deadline => "deadline",
            Self::BodyNotKept => "body_not_kept",
            Self::NotReady => "not_ready",
        }
    }
}
