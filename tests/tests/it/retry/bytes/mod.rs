//! Whatever happens, what is sent and what is handed on are the bytes that came.

mod answer;
mod case;
mod paced;
mod script;
mod upstream;

use std::{cell::RefCell, pin::pin};

use http::{Response, header::HeaderName, response::Parts};
use kimi_errors::{Error, ErrorKind};
use kimi_tower::{
    facts::Facts,
    retry::{ResponseBody, RetryLayer, Stop},
};
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRunner},
};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use self::{
    answer::Mark,
    case::{Case, Ending, RETRY_COUNT, case, count},
    paced::Paced,
    script::{End, FAILURE, trailers},
    upstream::{Sent, SentEnd, Upstream, World},
};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// How often what the properties are about has happened.
#[derive(Debug, Default)]
struct Tally {
    retried: usize,
    /// Attempts that were superseded while they read.
    superseded: usize,
    /// Retries that read to the end of a body with frames.
    whole_retries: usize,
    not_kept: usize,
    not_ready: usize,
    /// Answers that were handed on after a retry.
    handed_on: usize,
    /// Answers that are failures.
    given_up: usize,
}

type Outcome = Result<Response<ResponseBody<Paced>>, Error>;

/// Sends the request of a case and checks all that is promised.
async fn check(case: &Case, tally: &RefCell<Tally>) -> Result<(), TestCaseError> {
    let world = World::new(case.clone());
    let facts = Facts::new();
    let mut request = case.request();
    request.extensions_mut().insert(facts.clone());
    let (original, _) = case.request().into_parts();
    let retry = RetryLayer::new(case.policy()).layer(Upstream::new(&world));
    let mut sending = pin!(retry.oneshot(request));
    let outcome: Outcome = std::future::poll_fn(|cx| {
        world.borrow_mut().haunt(cx);
        let polled = sending.as_mut().poll(cx);
        world.borrow_mut().haunt(cx);
        polled
    })
    .await;

    let calls = world.borrow().sent.len();
    let stop = facts.retry_stop();
    prop_assert_eq!(facts.attempts().map(|it| it as usize), Some(calls));
    let has_answered = world.borrow().sent[calls - 1].has_answered;
    check_outcome(case, calls, has_answered, stop, outcome).await?;

    let world = world.borrow();
    prop_assert_eq!((world.sent.len(), world.unready_calls), (calls, 0));
    let mut tally = tally.borrow_mut();
    for (number, sent) in world.sent.iter().enumerate() {
        check_sent(case, &original, number, sent)?;
        let key = |sent: &Sent| sent.head.headers.get(KEY).cloned();
        prop_assert_eq!(key(sent), key(&world.sent[0]));
        if number + 1 == calls {
            prop_assert!(sent.end != Some(SentEnd::Superseded), "nothing followed it");
            let is_whole = sent.end == Some(SentEnd::Clean) && !sent.data.is_empty();
            tally.whole_retries += usize::from(number > 0 && is_whole);
        } else if let Ending::Answer(answer) = &case.attempt(number).end {
            let is_success = sent.has_answered && answer.is_success();
            prop_assert!(!is_success, "a success was taken back");
        }
        tally.superseded += usize::from(sent.end == Some(SentEnd::Superseded));
    }
    tally.retried += usize::from(calls > 1);
    tally.not_kept += usize::from(stop == Some(Stop::BodyNotKept));
    tally.not_ready += usize::from(stop == Some(Stop::NotReady));
    let is_answer = matches!(case.attempt(calls - 1).end, Ending::Answer(_));
    tally.handed_on += usize::from(is_answer && calls > 1);
    tally.given_up += usize::from(is_answer && stop.is_some());
    Ok(())
}

/// What one attempt sent: a prefix of the request, and all of it if it came to the end.
fn check_sent(
    case: &Case,
    original: &http::request::Parts,
    number: usize,
    sent: &Sent,
) -> Result<(), TestCaseError> {
    let head = &sent.head;
    prop_assert_eq!(&head.method, &original.method);
    prop_assert_eq!((&head.uri, head.version), (&original.uri, original.version));
    prop_assert!(head.extensions.get::<Mark>().is_some());
    let mut headers = head.headers.clone();
    prop_assert_eq!(headers.remove(RETRY_COUNT), count(number));
    prop_assert_eq!(headers.remove(KEY).is_some(), case.has_key);
    prop_assert_eq!(&headers, &original.headers);

    let whole = case.body.data();
    prop_assert!(whole.starts_with(&sent.data), "{} {:?}", number, &sent.data);
    let is_all = sent.data.len() == whole.len();
    if let Some(sent) = &sent.trailers {
        prop_assert!(is_all && case.body.has_trailers());
        prop_assert_eq!(sent, &trailers());
    }
    match &sent.end {
        Some(SentEnd::Clean) => {
            prop_assert!(is_all && case.body.end() == End::Clean);
            prop_assert_eq!(sent.trailers.is_some(), case.body.has_trailers());
        }
        Some(SentEnd::Failed(text)) => {
            prop_assert_eq!((is_all, case.body.end()), (true, End::Failed));
            prop_assert_eq!(text, FAILURE);
        }
        Some(SentEnd::Superseded) | None => {}
    }
    Ok(())
}

/// What the caller gets: what came of the last attempt, as it came.
async fn check_outcome(
    case: &Case,
    calls: usize,
    has_answered: bool,
    stop: Option<Stop>,
    outcome: Outcome,
) -> Result<(), TestCaseError> {
    let last = case.attempt(calls - 1);
    let error = match (outcome, &last.end) {
        (Ok(answer), Ending::Answer(expected)) => {
            let (head, body) = answer.into_parts();
            check_head(head, expected.response().into_parts().0, stop)?;
            return expected.body.compare(body).await;
        }
        (Ok(_), _) => return Err(TestCaseError::fail("an answer out of nowhere")),
        (Err(_), _) if has_answered => return Err(TestCaseError::fail("an answer was lost")),
        (Err(error), _) => error,
    };
    let kind = match last.end {
        // A client fails with the body that it sends, or takes as long.
        _ if last.frames > 0 && case.body.end() == End::Failed => return Ok(()),
        _ if case.has_attempt_timeout && case.body.is_slow() => return Ok(()),
        Ending::Answer(_) => return Err(TestCaseError::fail("it was about to answer")),
        Ending::Never => ErrorKind::Timeout,
        Ending::Refused | Ending::Reset => ErrorKind::BadGateway,
    };
    prop_assert_eq!(error.kind(), kind);
    Ok(())
}

fn check_head(mut head: Parts, expected: Parts, stop: Option<Stop>) -> Result<(), TestCaseError> {
    prop_assert_eq!((head.status, head.version), (expected.status, expected.version));
    prop_assert!(head.extensions.get::<Mark>().is_some());
    let is_discouraged = matches!(stop, Some(Stop::RetriesUsedUp | Stop::BudgetSpent));
    let said = head.headers.remove(SHOULD_RETRY);
    prop_assert_eq!(said, is_discouraged.then(|| "false".parse().unwrap()));
    prop_assert_eq!(head.headers, expected.headers);
    Ok(())
}

#[test]
fn prop_what_is_sent_and_handed_on_are_the_bytes_that_came() {
    let config = ProptestConfig {
        cases: 12_000,
        // Half of the time would go into better random numbers than these.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::with_source_file(file!())
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let tally = RefCell::new(Tally::default());
    let checked =
        TestRunner::new(config).run(&case(), |case| runtime.block_on(check(&case, &tally)));
    if let Err(failure) = checked {
        panic!("{failure}");
    }
    // The properties are about something.
    let tally = tally.into_inner();
    assert!(tally.retried > 4_000 && tally.superseded > 200, "{tally:?}");
    assert!(tally.whole_retries > 2_000 && tally.not_kept > 1_000, "{tally:?}");
    assert!(tally.not_ready > 200 && tally.handed_on > 2_000, "{tally:?}");
    assert!(tally.given_up > 2_000, "{tally:?}");
}
