//! Tokens are reserved, and corrected by what the answer says.

use http::{HeaderValue, Method, Response};
use http_body_util::BodyExt as _;
use kimi_errors::{Error, ErrorKind};
use kimi_testkit::probe::{Act, Beat, ProbeBody};
use kimi_tower::rate_limit::RateLimitLayer;

use super::{EVENTS, JSON, SECOND, answer, both, call, chat, layer, left, requests, stack, tokens};

const USED: &str =
    r#"{"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":22,"total_tokens":30}}"#;
/// As the platform's last event has it.
const IN_CHOICE: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"你\"}}]}\n\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":22,\"total_tokens\":30}}]}\n\ndata: [DONE]\n\n";

/// A hundred of a thousand are reserved.
fn limit() -> RateLimitLayer {
    layer(both(requests(100, SECOND * 60), tokens(1_000, SECOND * 60))).with_tokens(|_: &_| 100)
}

/// How many tokens are left when the answer has been read to its end.
async fn left_after(act: Act) -> u32 {
    let layer = limit();
    let (mut service, _) = stack(&layer, [act]);
    if let Ok(answer) = call(&mut service, chat()).await {
        let _ = answer.into_body().collect().await;
    }
    let left = left(&layer);
    assert_eq!(left[0], 99, "a request stays counted");
    left[1]
}

fn events(body: ProbeBody) -> Act {
    Act::Answer(answer(200, &[EVENTS], body))
}

#[tokio::test(start_paused = true)]
async fn what_json_says_is_what_is_charged() {
    for body in [ProbeBody::full(USED), ProbeBody::chunks(USED.split_inclusive(':'))] {
        assert_eq!(left_after(Act::Answer(answer(200, &[JSON], body))).await, 970);
    }
    let more = r#"{"usage":{"total_tokens":700}}"#;
    let more = Act::Answer(answer(200, &[JSON], ProbeBody::full(more)));
    assert_eq!(left_after(more).await, 300, "more than was reserved is charged on top");
}

#[tokio::test(start_paused = true)]
async fn what_the_last_event_says_is_what_is_charged_wherever_it_is_split() {
    let last = format!("data: {{\"choices\":[]}}\n\ndata: {USED}\n\ndata: [DONE]\n\n");
    for text in [IN_CHOICE, &last] {
        for at in 0..=text.len() {
            let (one, other) = text.as_bytes().split_at(at);
            let chunks = [one, other].map(<[u8]>::to_vec);
            assert_eq!(left_after(events(ProbeBody::chunks(chunks))).await, 970, "split at {at}");
        }
        let bytes = text.bytes().map(|byte| vec![byte]);
        assert_eq!(left_after(events(ProbeBody::chunks(bytes))).await, 970);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_cut_before_he_is_told_has_spent_what_was_reserved() {
    let beginning = &IN_CHOICE[..IN_CHOICE.len() - 60];
    let body = || ProbeBody::chunks([beginning]);
    for (body, left) in [
        (body(), 900),
        (body().then(Beat::Fail("cut".into())), 900),
        (ProbeBody::chunks(["data: {}\n\n"]), 900),
        // What was said before the cut holds.
        (ProbeBody::chunks([IN_CHOICE]).then(Beat::Fail("cut".into())), 970),
    ] {
        assert_eq!(left_after(events(body)).await, left);
    }
}

/// The bug: a stream of Anthropic's form begins with counts, of which that of the answer is 1.
#[tokio::test(start_paused = true)]
async fn the_counts_that_a_stream_begins_with_are_not_what_it_costs() {
    let begins = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":8,\"output_tokens\":1}}}\n\n";
    let ends = "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":22}}\n\n";
    let cut = ProbeBody::chunks([begins]).then(Beat::Fail("cut".into()));
    assert_eq!(left_after(events(cut)).await, 900);
    assert_eq!(left_after(events(ProbeBody::chunks([begins, ends]))).await, 970);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_is_charged_by_what_was_read() {
    for (reads, expected) in [(0, 900), (1, 900), (2, 970)] {
        let layer = limit();
        let body = ProbeBody::chunks(["data: {}\n\n", IN_CHOICE, "data: x\n\n"]);
        let (mut service, _) = stack(&layer, [events(body)]);
        let mut body = call(&mut service, chat()).await.unwrap().into_body();
        for _ in 0..reads {
            body.frame().await.unwrap().unwrap();
        }
        assert_eq!(left(&layer)[1], 900, "it is corrected when it is over");
        drop(body);
        assert_eq!(left(&layer)[1], expected, "after {reads} frames");
    }
}

/// The bug: a body that says itself that it is over, and is kept, kept its reservation.
#[tokio::test(start_paused = true)]
async fn a_body_is_over_when_it_says_so() {
    let layer = limit();
    let answer = answer(200, &[JSON], ProbeBody::full(USED));
    let (mut service, _) = stack(&layer, [Act::Answer(answer)]);
    let mut body = call(&mut service, chat()).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert!(http_body::Body::is_end_stream(&body));
    assert_eq!(left(&layer)[1], 970);
}

#[tokio::test(start_paused = true)]
async fn an_error_costs_no_tokens() {
    let busy = || Error::new(ErrorKind::Unavailable);
    let ours = {
        let mut answer = answer(200, &[JSON], ProbeBody::full(USED));
        answer.extensions_mut().insert(busy());
        answer
    };
    let axum = axum_core::response::IntoResponse::into_response(busy());
    let axum: Response<ProbeBody> = axum.map(|_| ProbeBody::full(USED));
    for act in [
        Act::Fail(busy().into()),
        Act::Fail(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()),
        Act::Answer(answer(400, &[JSON], ProbeBody::full(USED))),
        Act::Answer(answer(429, &[JSON], ProbeBody::full(USED))),
        Act::Answer(answer(503, &[], ProbeBody::empty())),
        Act::Answer(ours),
        Act::Answer(axum),
        Act::Answer(answer(200, &[("grpc-status", "8")], ProbeBody::empty())),
    ] {
        let name = format!("{act:?}");
        assert_eq!(left_after(act).await, 1_000, "{name}");
    }
}

/// The bug: whoever let a request time out had spent nothing, though the model had worked.
#[tokio::test(start_paused = true)]
async fn what_nobody_knows_the_outcome_of_has_used_what_was_reserved() {
    for act in [
        Act::Fail(Error::new(ErrorKind::Timeout).into()),
        Act::Fail(Error::new(ErrorKind::BadGateway).into()),
        Act::Fail("the connection broke".into()),
        Act::Answer(answer(502, &[], ProbeBody::empty())),
        Act::Answer(answer(504, &[], ProbeBody::empty())),
        Act::Answer(answer(200, &[("grpc-status", "4")], ProbeBody::empty())),
    ] {
        let name = format!("{act:?}");
        assert_eq!(left_after(act).await, 900, "{name}");
    }
}

/// It is given back with the head: who reads the error slowly, or not at all, keeps nothing.
#[tokio::test(start_paused = true)]
async fn an_error_gives_back_before_its_body_is_read() {
    let layer = limit();
    let refused = answer(503, &[JSON], ProbeBody::new([Beat::Hang]));
    let (mut service, _) = stack(&layer, [Act::Answer(refused)]);
    let answer = call(&mut service, chat()).await.unwrap();
    assert_eq!(left(&layer), [99, 1_000]);
    drop(answer);
    assert_eq!(left(&layer), [99, 1_000]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_say_what_it_has_used_has_used_what_was_reserved() {
    let full = || ProbeBody::full(USED);
    for act in [
        answer(200, &[], full()),
        answer(200, &[("content-type", "text/plain")], full()),
        answer(200, &[JSON, ("content-encoding", "gzip")], full()),
        answer(204, &[], ProbeBody::empty()),
        answer(200, &[JSON], ProbeBody::empty()),
        answer(200, &[JSON], ProbeBody::full(r#"{"usage":null}"#)),
        answer(200, &[JSON], ProbeBody::full(r#"{"usage":{"prompt_tokens":7}}"#)),
    ] {
        assert_eq!(left_after(Act::Answer(act)).await, 900);
    }
    let layer = limit();
    let (mut service, _) = stack(&layer, [Act::Answer(answer(200, &[JSON], ProbeBody::empty()))]);
    let mut head = chat();
    *head.method_mut() = Method::HEAD;
    let answer = call(&mut service, head).await.unwrap();
    assert_eq!(left(&layer), [99, 900]);
    drop(answer);
    assert_eq!(left(&layer), [99, 900]);
}

/// What was not there is owed, and comes back before anything is admitted.
#[tokio::test(start_paused = true)]
async fn who_spends_more_than_was_there_owes_it() {
    let layer = limit();
    let dear = r#"{"usage":{"total_tokens":1500}}"#;
    let (mut service, _) =
        stack(&layer, [Act::Answer(answer(200, &[JSON], ProbeBody::full(dear)))]);
    call(&mut service, chat()).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(left(&layer), [99, 0]);
    let refused = call(&mut service, chat()).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(SECOND * 60));
    tokio::time::advance(SECOND * 60).await;
    assert_eq!(left(&layer), [100, 500]);
}

/// The bug: where nothing was reserved, nothing was charged, whatever the answer said.
#[tokio::test(start_paused = true)]
async fn tokens_may_be_charged_afterward_alone() {
    let layer = limit().with_tokens(|_: &_| 0);
    let used = answer(200, &[JSON], ProbeBody::full(USED));
    let (mut service, _) = stack(&layer, [Act::Answer(used)]);
    call(&mut service, chat()).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(left(&layer), [99, 970]);
}

/// A reservation counts from when the request was admitted, as what is given back does.
#[tokio::test(start_paused = true)]
async fn what_is_given_back_late_is_what_was_charged_early() {
    let layer = limit();
    let used = answer(200, &[JSON], ProbeBody::full(USED));
    let (mut service, _) = stack(&layer, [Act::Answer(used)]);
    let answer = call(&mut service, chat()).await.unwrap();
    tokio::time::advance(SECOND * 30).await;
    call(&mut service, chat()).await.unwrap();
    answer.into_body().collect().await.unwrap();
    assert_eq!(left(&layer)[1], 870);
    tokio::time::advance(SECOND * 30).await;
    assert_eq!(left(&layer)[1], 900);
    tokio::time::advance(SECOND * 30).await;
    assert_eq!(left(&layer)[1], 1_000);
}

/// By default the bound of the request that was checked, which `ChatTokens` has the tests of.
#[tokio::test(start_paused = true)]
async fn by_default_the_most_that_a_request_can_cost_is_reserved() {
    let plan = tokens(200_000, SECOND * 60);
    let layer = layer(plan);
    let (mut service, _) = stack(&layer, []);
    let mut request = chat();
    request.headers_mut().insert("content-length", HeaderValue::from_static("100"));
    call(&mut service, request).await.unwrap();
    assert_eq!(left(&layer), [200_000 - 131_072 - 100]);
}
