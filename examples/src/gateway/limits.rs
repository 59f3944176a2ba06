//! What each caller may have of a gateway.

use std::num::NonZeroU32;

use http::request::Parts;
use kimi_tower::{
    key::ApiKey,
    rate_limit::{
        ChatTokens, EstimateTokens as _, Gcra, Plan, Plans, Quota, QuotaError, Rule,
        concurrency::ConcurrencyLayer,
    },
};
use kimi_validate::ChatRequest;

/// What each API key may have. 0 is no limit.
///
/// Requests and tokens come back evenly, after a burst of a whole minute's.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Limits {
    requests: Option<Quota>,
    tokens: Option<Quota>,
    concurrent: Option<NonZeroU32>,
}

impl Limits {
    /// Returns no limit.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets how many requests there may be in a minute; 0 is no limit, as is the default.
    ///
    /// # Errors
    ///
    /// [`TooFast`](QuotaError::TooFast) for more than 4 294 967 295 of them, which no `u32` is.
    pub fn try_with_requests(mut self, requests: u32) -> Result<Self, QuotaError> {
        self.requests = quota(requests)?;
        Ok(self)
    }

    /// Sets how many tokens may be used in a minute; 0 is no limit, as is the default.
    ///
    /// # Errors
    ///
    /// As [`try_with_requests`](Self::try_with_requests).
    pub fn try_with_tokens(mut self, tokens: u32) -> Result<Self, QuotaError> {
        self.tokens = quota(tokens)?;
        Ok(self)
    }

    /// Sets how many requests there may be at a time, each until the last byte of its answer; 0 is
    /// no limit, as is the default.
    #[must_use]
    pub const fn with_concurrent(mut self, requests: u32) -> Self {
        self.concurrent = NonZeroU32::new(requests);
        self
    }

    /// Returns the layer that counts those at a time.
    pub(super) fn of_concurrent(self) -> ConcurrencyLayer<ApiKey> {
        // More than there can be connections is no limit.
        ConcurrencyLayer::new(self.concurrent.unwrap_or(NonZeroU32::MAX)).with_key(ApiKey::new())
    }

    /// Returns the plan by which requests are counted.
    pub(super) fn of_requests(self) -> Plans {
        plans(self.requests, Rule::requests)
    }

    /// Returns the plan by which tokens are counted, as [`tokens`] estimates them.
    ///
    /// The upstream has a limit of its own that holds. This one keeps callers apart, and goes by
    /// what a chat typically takes until it is known.
    pub(super) fn of_tokens(self) -> Plans {
        plans(self.tokens, Rule::tokens)
    }
}

/// Nothing but a chat costs tokens.
pub(super) fn tokens(head: &Parts) -> u32 {
    let is_chat = head.extensions.get::<ChatRequest>().is_some();
    if is_chat { ChatTokens::typical().estimate(head) } else { 0 }
}

fn quota(units: u32) -> Result<Option<Quota>, QuotaError> {
    if units == 0 { Ok(None) } else { Quota::try_per_minute(units).map(Some) }
}

fn plans(quota: Option<Quota>, rule: impl FnOnce(Gcra) -> Rule) -> Plans {
    match quota {
        Some(quota) => rule(Gcra::new(quota)).into(),
        None => Plan::unlimited().into(),
    }
}
