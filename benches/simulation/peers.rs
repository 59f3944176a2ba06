//! How others try again: tower's layer as its docs advise, and the rules of two clients, written
//! anew after what they are known to do.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use tokio::time::{Sleep, sleep};
use tower::{
    BoxError,
    retry::{
        Policy,
        backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff},
        budget::{Budget, TpsBudget},
    },
};

use super::{
    hop::{Answer, Hop},
    random::Random,
};

/// How often tower tries again: as often as we do by default.
const TOWER_RETRIES: u32 = 3;

/// The OpenAI SDK for Python: how often it tries again, its first wait, which doubles, and its
/// longest, of which a quarter at most is taken off by chance.
const OPENAI_RETRIES: u32 = 2;
const OPENAI_BASE: Duration = Duration::from_millis(500);
const OPENAI_CAP: Duration = Duration::from_secs(8);
/// It passes over longer hints.
const OPENAI_HINT_CAP: Duration = Duration::from_secs(120);

/// kimi-free-api: how often it tries again, and what it waits each time.
const FREE_API_RETRIES: u32 = 3;
const FREE_API_WAIT: Duration = Duration::from_secs(5);

/// A policy for tower's retry: 429 and 5xx, within tower's default budget, with its exponential
/// backoff as [`ExponentialBackoffMaker::default`] has it.
#[derive(Clone, Debug)]
pub(super) struct Advised {
    budget: Arc<TpsBudget>,
    backoff: ExponentialBackoff<Random>,
    retries_left: u32,
}

impl Advised {
    pub(super) fn new(random: Random) -> Self {
        let (min, max) = (Duration::from_millis(50), Duration::from_millis(u64::MAX));
        let mut maker = ExponentialBackoffMaker::new(min, max, 0.99, random)
            .expect("these are the default's numbers");
        Self { budget: Arc::default(), backoff: maker.make_backoff(), retries_left: TOWER_RETRIES }
    }
}

impl Policy<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError> for Advised {
    type Future = Sleep;

    fn retry(
        &mut self,
        _: &mut Request<Full<Bytes>>,
        result: &mut Result<Response<Full<Bytes>>, BoxError>,
    ) -> Option<Sleep> {
        if result.as_ref().is_ok_and(|answer| !is_retried_by_tower(answer.status())) {
            self.budget.deposit();
            return None;
        }
        if self.retries_left == 0 || !self.budget.withdraw() {
            return None;
        }
        self.retries_left -= 1;
        Some(self.backoff.next_backoff())
    }

    fn clone_request(&mut self, request: &Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
        Some(request.clone())
    }
}

fn is_retried_by_tower(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// Asks as the OpenAI SDK does.
pub(super) async fn openai(next: Hop, request: Request<Full<Bytes>>, mut random: Random) -> Answer {
    let mut answer = next.ask(request.clone()).await?;
    for retries in 0..OPENAI_RETRIES {
        if !is_retried_by_openai(&answer) {
            break;
        }
        let backoff = OPENAI_BASE.saturating_mul(1 << retries).min(OPENAI_CAP);
        let backoff = backoff.mul_f64(1.0 - 0.25 * random.fraction());
        sleep(hint(&answer).unwrap_or(backoff)).await;
        answer = next.ask(request.clone()).await?;
    }
    Ok(answer)
}

fn is_retried_by_openai(answer: &Response<Full<Bytes>>) -> bool {
    match field(answer, "x-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => matches!(answer.status().as_u16(), 408 | 409 | 429 | 500..),
    }
}

/// Returns the wait that the answer names, unless the SDK passes over it. A `Retry-After` that is
/// a date would be read too; the origin sends none.
fn hint(answer: &Response<Full<Bytes>>) -> Option<Duration> {
    let number = |name, unit: f64| {
        let number = field(answer, name)?.parse::<f64>().ok()?;
        Duration::try_from_secs_f64(number * unit).ok()
    };
    let hint =
        number("retry-after-ms", 1e-3).or_else(|| number(header::RETRY_AFTER.as_str(), 1.0))?;
    (!hint.is_zero() && hint <= OPENAI_HINT_CAP).then_some(hint)
}

fn field<'a>(answer: &'a Response<Full<Bytes>>, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

/// Asks as kimi-free-api does: whatever the error says.
pub(super) async fn free_api(next: Hop, request: Request<Full<Bytes>>) -> Answer {
    let mut answer = next.ask(request.clone()).await?;
    for _ in 0..FREE_API_RETRIES {
        if answer.status().is_success() {
            break;
        }
        sleep(FREE_API_WAIT).await;
        answer = next.ask(request.clone()).await?;
    }
    Ok(answer)
}
