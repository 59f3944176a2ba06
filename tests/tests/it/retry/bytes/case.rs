//! What may happen to one request.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Request, header};
use kimi_tower::{
    replay::{ReplayBudget, ReplayLimits},
    retry::RetryPolicy,
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    answer::{Answer, Mark, answer},
    paced::Paced,
    script::{Script, any_bytes, shape},
};

#[derive(Clone, Debug)]
pub(super) struct Case {
    method: Method,
    pub(super) body: Script,
    max_bytes: usize,
    max_budget: usize,
    pub(super) has_key: bool,
    retries_unknown: bool,
    pub(super) has_attempt_timeout: bool,
    max_retries: u32,
    pub(super) attempts: Vec<Attempt>,
    /// How often the bodies of attempts that are over are polled, one number for each occasion,
    /// again and again. 9 drops them.
    pub(super) polls: Vec<u8>,
}

/// What the upstream does with one attempt.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) readiness: Readiness,
    /// How many frames of the body it reads.
    pub(super) frames: usize,
    /// How often it waits before each.
    pub(super) waits: u8,
    /// Whether it holds on to the body when it is over.
    pub(super) keeps_body: bool,
    pub(super) end: Ending,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Readiness {
    Ready,
    Slow,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) enum Ending {
    Answer(Answer),
    Refused,
    Reset,
    Never,
}

impl Case {
    pub(super) fn request(&self) -> Request<Paced> {
        Request::builder()
            .method(&self.method)
            .uri("http://upstream/v1/chat/completions?x=1")
            .version(http::Version::HTTP_2)
            .header(header::AUTHORIZATION, "Bearer sk-test")
            .header("x-sent", "1")
            .header("x-sent", "2")
            .extension(Mark)
            .body(self.body.body())
            .unwrap()
    }

    pub(super) fn policy(&self) -> RetryPolicy {
        let budget = ReplayBudget::new(self.max_budget);
        let replay = ReplayLimits::new().with_max_bytes(self.max_bytes).with_budget(budget);
        let mut policy = RetryPolicy::standard()
            .with_seed(1)
            .with_max_retries(self.max_retries)
            .with_replay(replay);
        if self.has_key {
            policy = policy.with_idempotency_key();
        }
        if self.retries_unknown {
            policy = policy.with_unknown_outcomes();
        }
        if self.has_attempt_timeout {
            policy = policy.with_attempt_timeout(Duration::from_secs(20));
        }
        policy
    }

    /// What the upstream does with the attempt of this number.
    pub(super) fn attempt(&self, number: usize) -> &Attempt {
        &self.attempts[number.min(self.attempts.len() - 1)]
    }
}

/// The fields that are not the same for all attempts.
pub(super) const RETRY_COUNT: HeaderName = HeaderName::from_static("x-retry-count");

pub(super) fn count(retries: usize) -> Option<HeaderValue> {
    (retries > 0).then(|| HeaderValue::from(retries))
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let readiness = prop_oneof![
        8 => Just(Readiness::Ready),
        1 => Just(Readiness::Slow),
        1 => Just(Readiness::Failed),
    ];
    let frames = prop_oneof![1 => 0..4usize, 1 => Just(usize::MAX)];
    let end = prop_oneof![
        8 => answer().prop_map(Ending::Answer),
        3 => Just(Ending::Refused),
        3 => Just(Ending::Reset),
        1 => Just(Ending::Never),
    ];
    (readiness, frames, 0..3u8, any::<bool>(), end).prop_map(
        |(readiness, frames, waits, keeps_body, end)| Attempt {
            readiness,
            frames,
            waits,
            keeps_body,
            end,
        },
    )
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let method = select(vec![Method::POST, Method::POST, Method::PUT, Method::DELETE]);
    let max_bytes = prop_oneof![1 => 0..300usize, 3 => Just(usize::MAX)];
    let max_budget = prop_oneof![1 => 0..800usize, 3 => Just(usize::MAX)];
    let limits = (max_bytes, max_budget, 1..4u32);
    let knobs = any::<[bool; 3]>();
    let attempts = vec(attempt(), 1..5);
    let polls = vec(prop_oneof![8 => Just(0), 4 => 1..4u8, 1 => Just(9)], 1..12);
    let body = (any_bytes(), shape(1)).prop_map(|(data, shape)| shape.of(data));
    (method, body, limits, knobs, attempts, polls).prop_map(
        |(method, body, (max_bytes, max_budget, max_retries), knobs, attempts, polls)| Case {
            method,
            body,
            max_bytes,
            max_budget,
            has_key: knobs[0],
            retries_unknown: knobs[1],
            has_attempt_timeout: knobs[2],
            max_retries,
            attempts,
            polls,
        },
    )
}
