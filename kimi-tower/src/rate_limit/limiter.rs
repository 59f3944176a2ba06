//! What a request is asked for, and what is made of the verdict.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use http::{Extensions, request::Parts};
use kimi_errors::{Error, Lang};
use tokio::time::Instant;

use super::{
    Admission, ChatTokens, Costs, EstimateTokens, Plan,
    fields::{self, Policy},
    refusal,
    store::{Ask, Grant, Patience, RateStore, Refused, Told, Verdict},
};
use crate::{
    deadline::Deadline,
    facts::{Facts, RateDecision},
    key::{Key, KeyHasher},
};

/// A store, and how it is asked. One for all that a layer makes.
#[derive(Clone)]
pub(super) struct Limiter<R> {
    pub(super) store: R,
    pub(super) hasher: KeyHasher,
    pub(super) admission: Admission,
    pub(super) lang: Lang,
    pub(super) plan_of: Option<PlanOf>,
    pub(super) tokens: Arc<dyn EstimateTokens + Send + Sync>,
    /// What the answers' heads say of each plan; none if they say nothing.
    pub(super) policies: Option<Arc<[Policy]>>,
    pub(super) follows_upstream: bool,
}

pub(super) type PlanOf = Arc<dyn Fn(&Parts) -> usize + Send + Sync>;

impl<R: RateStore> Limiter<R> {
    pub(super) fn new(store: R) -> Self {
        let policies = Some(fields::policies(store.plans()));
        Self {
            store,
            hasher: own_hasher(),
            admission: Admission::Reject,
            lang: Lang::Zh,
            plan_of: None,
            tokens: Arc::new(ChatTokens::upper_bound()),
            policies,
            follows_upstream: false,
        }
    }

    /// Returns what is asked for a request; `None` if its plan has no rule.
    #[inline]
    pub(super) fn ask(&self, key: Key, head: &Parts) -> Option<Ask> {
        let plan = self.plan_of.as_ref().map_or(0, |plan_of| plan_of(head));
        let plan = self.store.plans().clamp(plan);
        if self.plan(plan).rules().is_empty() {
            return None;
        }
        let costs = self.plan(plan).costs(|| self.tokens.estimate(head));
        let mut ask = Ask::new(key, plan, costs);
        ask.wants_levels = self.policy(plan).is_some();
        if let Admission::Wait { max_wait, max_queue } = self.admission {
            let left = Deadline::of(head)
                .map(|deadline| deadline.instant().saturating_duration_since(Instant::now()));
            let max_wait = left.map_or(max_wait, |left| left.min(max_wait));
            ask.patience = Some(Patience::new(max_wait, max_queue));
        }
        Some(ask)
    }

    /// Returns what the request was charged, `None` if it passes uncharged; or why it is refused.
    #[inline]
    pub(super) fn judge(
        &self,
        verdict: Result<Verdict, Error>,
        ask: &Ask,
        extensions: &Extensions,
    ) -> Result<Option<Grant>, Error> {
        match verdict {
            Ok(Verdict::Admitted(grant)) => {
                if !grant.waited.is_zero() {
                    Facts::tell_rate(extensions, RateDecision::Waited(grant.waited));
                }
                Ok(Some(grant))
            }
            Ok(Verdict::Refused(refused)) => self.refuse(&refused, ask, extensions).map(|()| None),
            Err(error) => self.fail(error).map(|()| None),
        }
    }

    /// The store cannot decide.
    #[cold]
    fn fail(&self, error: Error) -> Result<(), Error> {
        if self.admission == Admission::Shadow {
            tracing::debug!(kind = ?error.kind(), "would fail");
            return Ok(());
        }
        Err(error.with_lang(self.lang))
    }

    #[cold]
    fn refuse(&self, refused: &Refused, ask: &Ask, extensions: &Extensions) -> Result<(), Error> {
        let (plan, wait) = (self.plan(ask.plan), refused.wait);
        let rule = plan.rules().get(refused.rule).map_or("", |rule| rule.name());
        if self.admission == Admission::Shadow {
            tracing::debug!(rule, ?wait, "would be refused");
            Facts::tell_rate(extensions, RateDecision::WouldBeRefused { rule, wait });
            return Ok(());
        }
        tracing::debug!(rule, ?wait, "refused");
        Facts::tell_rate(extensions, RateDecision::Refused { rule, wait });
        Err(refusal::error(plan, ask, refused, self.policy(ask.plan), self.lang))
    }

    /// Returns the plan at an index that has been clamped.
    #[inline]
    pub(super) fn plan(&self, index: usize) -> &Plan {
        self.store.plans().get(index)
    }

    /// Returns what the heads of answers say of a plan; `None` if nothing, as of limits that are only
    /// tried: whoever reads of a limit goes by it.
    #[inline]
    pub(super) fn policy(&self, plan: usize) -> Option<&Policy> {
        let policies = self.policies.as_ref().filter(|_| self.admission != Admission::Shadow);
        policies.map(|policies| &policies[plan])
    }

    /// Returns what is left to do when a request that is charged has been answered.
    ///
    /// Boxed, since there may be nothing, and every future is moved.
    #[inline]
    pub(super) fn after(self: &Arc<Self>, grant: Grant) -> Option<Box<After<R>>> {
        let has_more = self.policy(grant.plan).is_some()
            || self.follows_upstream
            || self.plan(grant.plan).counts_tokens();
        has_more.then(|| Box::new(After { limiter: Arc::clone(self), grant }))
    }
}

/// Returns the secret of this process, so that layers over one store know a caller by one key.
fn own_hasher() -> KeyHasher {
    static OWN: OnceLock<KeyHasher> = OnceLock::new();
    OWN.get_or_init(KeyHasher::new).clone()
}

impl<R: fmt::Debug> fmt::Debug for Limiter<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("store", &self.store)
            .field("admission", &self.admission)
            .field("follows_upstream", &self.follows_upstream)
            .finish_non_exhaustive()
    }
}

/// What is left to do for a request that was admitted.
#[derive(Debug)]
pub(super) struct After<R> {
    pub(super) limiter: Arc<Limiter<R>>,
    pub(super) grant: Grant,
}

impl<R: RateStore> After<R> {
    /// Goes by what the upstream says of its limits.
    pub(super) fn observe(&self, told: &Told) {
        if *told != Told::default() {
            self.limiter.store.observe(self.grant.key, self.grant.plan, told);
        }
    }

    /// Corrects what was charged for tokens.
    pub(super) fn settle_tokens(&self, tokens: u32) {
        let costs = self.limiter.plan(self.grant.plan).costs(|| tokens);
        if costs != self.grant.costs {
            self.limiter.store.settle(&self.grant, costs);
        }
    }
}

/// The charge for a request that has not been sent yet: given back if it is dropped.
#[derive(Debug)]
pub(super) struct Unsent<R: RateStore> {
    limiter: Arc<Limiter<R>>,
    /// Taken when it is sent.
    grant: Option<Grant>,
}

impl<R: RateStore> Unsent<R> {
    pub(super) const fn new(limiter: Arc<Limiter<R>>, grant: Grant) -> Self {
        Self { limiter, grant: Some(grant) }
    }

    /// The request is sent. Returns what is left to do when it has been answered.
    pub(super) fn send(mut self) -> Option<Box<After<R>>> {
        self.grant.take().and_then(|grant| self.limiter.after(grant))
    }
}

impl<R: RateStore> Drop for Unsent<R> {
    fn drop(&mut self) {
        if let Some(grant) = &self.grant {
            self.limiter.store.settle(grant, Costs::default());
        }
    }
}
