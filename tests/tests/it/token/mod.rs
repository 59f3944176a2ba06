//! `token` around probes and the scripted upstream: who has a token, who waits for one, and what is
//! sent again.

mod cache;
mod callers;
mod layer;
mod pool;
mod provider;
mod refused;
mod rest;
mod secrets;
mod steady;
mod stress;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use http::{HeaderValue, Request, Response, header};
use kimi_errors::{Dialect, Error, ErrorKind};
use kimi_testkit::probe::{Act, ProbeBody};
use kimi_tower::token::{Freshness, Token, TokenCache, TokenProvider};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Hands out `T1`, `T2`, …, each after a time and good for a time.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    fetches: Arc<AtomicU32>,
    takes: Duration,
    /// Of which each begins only when it is polled again.
    steps: u32,
    lifetime: Option<Duration>,
    /// Up to this one, they fail.
    failing: Arc<AtomicU32>,
}

impl Numbered {
    pub(crate) fn new() -> Self {
        let (fetches, failing) = (Arc::default(), Arc::default());
        Self { fetches, takes: Duration::ZERO, steps: 1, lifetime: None, failing }
    }

    pub(crate) fn taking(mut self, takes: Duration) -> Self {
        self.takes = takes;
        self
    }

    fn in_steps(mut self, steps: u32) -> Self {
        self.steps = steps;
        self
    }

    fn living(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Has the next so many fail.
    fn fail(&self, times: u32) {
        self.failing.store(self.fetches() + times, SeqCst);
    }

    fn fetches(&self) -> u32 {
        self.fetches.load(SeqCst)
    }

    pub(crate) fn cache(
        &self,
    ) -> TokenCache<impl TokenProvider<Future: Send> + Send + Sync + use<>> {
        self.cache_with(Freshness::new().with_seed(1))
    }

    fn cache_with(
        &self,
        freshness: Freshness,
    ) -> TokenCache<impl TokenProvider<Future: Send> + Send + Sync + use<>> {
        let this = self.clone();
        let fetch = move || {
            let this = this.clone();
            async move {
                let number = this.fetches.fetch_add(1, SeqCst) + 1;
                if !this.takes.is_zero() {
                    for _ in 0..this.steps {
                        sleep(this.takes / this.steps).await;
                    }
                }
                if number <= this.failing.load(SeqCst) {
                    return Err(Error::new(ErrorKind::Unavailable));
                }
                let token = Token::parse(&format!("T{number}"))?;
                Ok(this.lifetime.map_or(token.clone(), |lifetime| token.with_lifetime(lifetime)))
            }
        };
        TokenCache::new(fetch, freshness)
    }
}

fn chat() -> Request<ProbeBody> {
    Request::post("http://upstream/v1/chat/completions").body(ProbeBody::full("{}")).unwrap()
}

/// An answer with this status and this body.
fn answer(status: u16, content_type: &'static str, body: &str) -> Response<ProbeBody> {
    let mut answer = Response::new(ProbeBody::full(body.to_owned()));
    *answer.status_mut() = status.try_into().unwrap();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

fn error(kind: ErrorKind) -> Response<ProbeBody> {
    Dialect::Errcode.response(&Error::new(kind)).map(ProbeBody::full)
}

/// The answer to a token that is refused.
fn refusal() -> Act {
    Act::Answer(error(ErrorKind::TokenExpired))
}
