//! What is tried again: which errors, of which requests, by whose rule.

use std::{
    future::ready,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use http::{Request, Response, StatusCode, Uri};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use kimi_errors::{BoxError, Dialect, Error, ErrorKind, chain::is_never_sent, decode_body};
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody};
use kimi_tower::{
    raise_error::RaiseErrorLayer,
    retry::{Decision, RetryLayer, RetryPolicy, Safety},
};
use tokio::net::TcpStream;
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{
    EVENTS, JSON, answer, bytes, chat, error, failing, send, send_as, should_retry, timed,
    with_method,
};
use crate::decode::facts;

/// An answer with this type and a body that follows a script.
fn scripted(content_type: &'static str, body: ProbeBody) -> Act {
    Act::Answer(answer(200, content_type, "").map(|_| body))
}

/// Returns how many attempts a request makes of which the first fails like this.
async fn attempts_after(request: Request<ProbeBody>, failure: Act) -> usize {
    let (_, seen) = send_as(RetryPolicy::standard(), request, [failure]).await;
    assert_eq!(seen.unready_calls(), 0);
    seen.calls()
}

#[tokio::test(start_paused = true)]
async fn of_all_known_errors_those_are_retried_that_a_wait_helps() {
    let (mut retried, mut unknown) = (0, 0);
    for entry in facts::known() {
        let id = &entry.id;
        let is_hopeful = ["backoff", "after_stream"].contains(&entry.advice.as_str());
        let kind = decode_body(Some(entry.status), &entry.body).unwrap().kind();
        let is_unknown = matches!(kind, ErrorKind::BadGateway | ErrorKind::Timeout);
        retried += usize::from(is_hopeful);
        unknown += usize::from(is_hopeful && is_unknown);

        let body = entry.body.clone();
        let content_type = if id.contains("resource_exhausted_stream") {
            "application/connect+json"
        } else {
            JSON
        };
        let known = move || {
            let mut answer = answer(entry.status, content_type, "");
            *answer.body_mut() = ProbeBody::full(body.clone());
            Act::Answer(answer)
        };
        let expected = 1 + usize::from(is_hopeful && !is_unknown);
        assert_eq!(attempts_after(chat(), known()).await, expected, "{id} of a POST");
        let expected = 1 + usize::from(is_hopeful);
        assert_eq!(attempts_after(with_method("GET"), known()).await, expected, "{id} of a GET");

        let Ok(text) = String::from_utf8(entry.body) else { continue };
        if text.starts_with('{') && entry.is_told_by_body {
            // Said in an event it means the same.
            let stream = format!(": hb\n\ndata: {text}\n\n");
            let event = || Act::Answer(answer(200, EVENTS, &stream));
            let expected = 1 + usize::from(is_hopeful && !is_unknown);
            assert_eq!(attempts_after(chat(), event()).await, expected, "{id} as an event");
            let expected = 1 + usize::from(is_hopeful);
            assert_eq!(attempts_after(with_method("GET"), event()).await, expected, "{id}, a GET");
        }
    }
    assert_eq!((retried, unknown), (54, 6));
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_retried_for_idempotent_methods_only() {
    let failures: [fn() -> Act; 6] = [
        || Act::Answer(answer(502, "text/html", "<html>Bad Gateway</html>")),
        || Act::Answer(answer(504, "text/plain", "upstream request timeout")),
        || Act::Fail(io::Error::from(io::ErrorKind::ConnectionReset).into()),
        || Act::Fail("something else".into()),
        || Act::Fail(Error::new(ErrorKind::Timeout).into()),
        // A success that breaks while it is looked at.
        || scripted(JSON, ProbeBody::chunks([r#"{"id":"#]).then(Beat::Fail("cut".into()))),
    ];
    for failure in failures {
        for (methods, attempts) in [
            (&["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"][..], 2),
            (&["POST", "PATCH", "CONNECT", "KIMI"], 1),
        ] {
            for method in methods {
                // No body of an answer to HEAD is looked at.
                if let (&"HEAD", Act::Answer(answer)) = (method, failure())
                    && answer.status().is_success()
                {
                    continue;
                }
                let made = attempts_after(with_method(method), failure()).await;
                assert_eq!(made, attempts, "{method}: {:?}", failure());
            }
        }
        let policy = RetryPolicy::standard().with_unknown_outcomes();
        let (_, seen) = send(policy.clone(), [failure()]).await;
        assert_eq!(seen.calls(), 2, "opted in: {:?}", failure());
        let (_, seen) = send(policy.without_unknown_outcomes(), [failure()]).await;
        assert_eq!(seen.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_never_sent_or_was_refused_is_retried_for_every_method() {
    let failures: [fn() -> Act; 10] = [
        || Act::Fail(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
        || Act::Fail(Error::new(ErrorKind::Overloaded).into()),
        || Act::Fail(Error::new(ErrorKind::Unavailable).into()),
        || Act::Fail(Error::new(ErrorKind::RateLimited).into()),
        || Act::Answer(answer(503, "text/plain", "later")),
        || Act::Answer(answer(500, JSON, r#"{"error":{"message":"x","type":"server_error"}}"#)),
        // Streams that err, end or break before any content.
        || Act::Answer(answer(200, EVENTS, "")),
        || Act::Answer(answer(200, EVENTS, ": hb\n\n: hb\n\n")),
        || {
            let role = r#"data: {"choices":[{"delta":{"role":"assistant","content":""}}]}"#;
            Act::Answer(answer(200, EVENTS, &format!("{role}\n\n")))
        },
        || scripted(EVENTS, ProbeBody::chunks([": hb\n\n"]).then(Beat::Fail("cut".into()))),
    ];
    for failure in failures {
        for method in ["GET", "POST", "PATCH"] {
            let made = attempts_after(with_method(method), failure()).await;
            assert_eq!(made, 2, "{method}: {:?}", failure());
        }
    }
    // With a source, a layer may have made the error of a broken transport.
    let broken = Error::new(ErrorKind::Unavailable).with_source(io::Error::other("cut"));
    assert_eq!(attempts_after(chat(), Act::Fail(broken.into())).await, 1);
}

/// A chunk is not cut where the look ends, and so may have whole events behind that.
#[tokio::test(start_paused = true)]
async fn what_stands_behind_the_end_of_the_look_is_not_looked_at() {
    let padding = format!(": {}\n\n", "x".repeat(70_000));
    let content = "data: {\"choices\":[{\"delta\":{\"content\":\"你\"}}]}\n\ndata: [DONE]\n\n";
    let busy = "data: {\"error\":{\"message\":\"x\",\"type\":\"engine_overloaded_error\"}}\n\n";
    for rest in [content, busy, ": x\n", "data: x", ""] {
        for opening in ["", ": hb\n\n"] {
            let text = format!("{opening}{padding}{rest}");
            for body in [ProbeBody::full(text.clone()), ProbeBody::chunks([text.clone()])] {
                let (sent, seen) = send(RetryPolicy::standard(), [scripted(EVENTS, body)]).await;
                assert_eq!(seen.calls(), 1, "{rest:?}");
                assert!(bytes(sent.unwrap()).await == text.as_bytes());
            }
        }
    }
}

/// A body can come from another request, and break as that does. Where `raise_error` stands inside,
/// that is what the call fails with: but there was an answer, so that this one was sent.
#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_was_sent_however_it_breaks() {
    let connector = tower::service_fn(|_: Uri| {
        ready(Err::<TokioIo<TcpStream>, _>(io::Error::from(io::ErrorKind::ConnectionRefused)))
    });
    let client = Client::builder(TokioExecutor::new()).build(connector);
    for content_type in [JSON, EVENTS] {
        let other = client.request(chat().map(|_| String::new())).await.unwrap_err();
        assert!(is_never_sent(&other));
        let broken =
            scripted(content_type, ProbeBody::chunks([":"]).then(Beat::Fail(other.into())));
        let (probe, seen) = Probe::new([broken]);
        let layers = (RetryLayer::new(RetryPolicy::standard()), RaiseErrorLayer::new());
        let error = layers.layer(probe).oneshot(chat()).await.map(|_| ()).unwrap_err();
        assert_eq!(seen.calls(), 1, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_retried_after_the_first_content() {
    let content = "data: {\"choices\":[{\"delta\":{\"content\":\"你\"}}]}\n\n";
    let busy = r#"data: {"error":{"message":"x","type":"engine_overloaded_error"}}"#;
    for (rest, is_whole) in [
        (Beat::Data(format!("{busy}\n\n").into()), true),
        (Beat::Fail("cut".into()), false),
        (Beat::Data("data: [DONE]\n\n".into()), true),
    ] {
        let act = scripted(EVENTS, ProbeBody::chunks([content]).then(rest));
        let (sent, seen) = send(RetryPolicy::standard(), [act]).await;
        assert_eq!(seen.calls(), 1);
        let mut body = sent.unwrap().into_body();
        let collected = http_body_util::BodyExt::collect(&mut body).await;
        assert_eq!(collected.is_ok(), is_whole);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_body_that_can_be_an_error_pass() {
    let busy = r#"{"error":{"message":"x","type":"engine_overloaded_error"}}"#;
    for (method, status, content_type) in [
        ("HEAD", 200, JSON),
        ("GET", 101, JSON),
        ("GET", 204, JSON),
        ("GET", 205, JSON),
        ("GET", 206, JSON),
        ("GET", 301, JSON),
        ("GET", 304, JSON),
        ("POST", 200, "application/grpc"),
        ("POST", 503, "application/grpc+proto"),
        ("GET", 200, "image/png"),
    ] {
        let answer = answer(status, content_type, busy);
        let body = answer.body().seen();
        let (sent, seen) =
            send_as(RetryPolicy::standard(), with_method(method), [Act::Answer(answer)]).await;
        assert_eq!((seen.calls(), body.polls()), (1, 0), "{method} {status} {content_type}");
        assert_eq!(bytes(sent.unwrap()).await, busy.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_that_is_given_up_on_is_as_it_came() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mark(&'static str);

    for (status, body) in [
        (400, r#"{"errcode":-2003,"errmsg":"远程文件URL非法","data":null}"#),
        (200, r#"{"errcode":-2003,"errmsg":"远程文件URL非法","data":null}"#),
        (200, r#"{"errcode":0,"errmsg":"success","data":1}"#),
        (502, "no JSON"),
    ] {
        let mut answer = answer(status, JSON, body);
        answer.headers_mut().append("x-kept", "1".parse().unwrap());
        answer.headers_mut().append("x-kept", "2".parse().unwrap());
        answer.extensions_mut().insert(Mark("kept"));
        *answer.version_mut() = http::Version::HTTP_2;
        let headers = answer.headers().clone();
        let (sent, seen) = send(RetryPolicy::standard(), [Act::Answer(answer)]).await;
        let sent = sent.unwrap();
        assert_eq!(seen.calls(), 1, "{status} {body}");
        assert_eq!((sent.status().as_u16(), sent.version()), (status, http::Version::HTTP_2));
        assert_eq!(sent.headers(), &headers);
        assert_eq!(sent.extensions().get(), Some(&Mark("kept")));
        assert_eq!(bytes(sent).await, body.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_counted_in_its_head_and_is_else_the_same() {
    let mut request = chat();
    request.headers_mut().insert("x-mine", "1".parse().unwrap());
    let (_, seen) =
        send_as(RetryPolicy::standard(), request, failing(ErrorKind::Unavailable, 4)).await;
    let requests = seen.take_requests();
    assert_eq!(requests.len(), 4);
    for (retries, request) in requests.into_iter().enumerate() {
        let mut headers = request.head.headers;
        let count = headers.remove("x-retry-count");
        let count = count.map(|count| count.to_str().unwrap().parse::<usize>().unwrap());
        assert_eq!(count, Some(retries).filter(|retries| *retries > 0));
        assert_eq!(headers.len(), 1);
        assert_eq!(headers["x-mine"], "1");
        assert_eq!(request.head.method, "POST");
        assert_eq!(request.head.uri, "http://upstream/v1/chat/completions");
        assert_eq!(request.body, "{}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_says_itself_whether_to_try_again() {
    let marked = |kind, value: &str| super::hinted(kind, "x-should-retry", value);
    // A gateway that has tried enough says so of whatever it tries again.
    for kind in [ErrorKind::Unavailable, ErrorKind::RateLimited, ErrorKind::StreamBusy] {
        for (said, attempts) in [("false", 1), ("maybe", 2)] {
            let busy = Act::Answer(marked(kind, said));
            assert_eq!(attempts_after(chat(), busy).await, attempts, "{kind} {said}");
        }
    }
    let again = answer(400, JSON, r#"{"error":{"message":"x","type":"invalid_request_error"}}"#);
    let again = {
        let (mut head, body) = again.into_parts();
        head.headers.insert("x-should-retry", "true".parse().unwrap());
        Response::from_parts(head, body)
    };
    assert_eq!(attempts_after(chat(), Act::Answer(again)).await, 2);
}

/// Counts its clones.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, SeqCst);
        Self(Arc::clone(&self.0))
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_selected_passes_uncloned_and_unlooked_at() {
    let policy =
        RetryPolicy::standard().with_selection(|head| head.uri.path() != "/v1/chat/completions");
    for policy in [policy, RetryPolicy::none()] {
        for busy in [error(ErrorKind::Overloaded), answer(200, JSON, r#"{"errcode":-1000}"#)] {
            let clones = Arc::new(AtomicUsize::new(0));
            let mut request = chat();
            request.headers_mut().insert("x-mine", "1".parse().unwrap());
            request.extensions_mut().insert(Counted(Arc::clone(&clones)));
            let (body, headers) = (busy.body().seen(), busy.headers().clone());
            let (sent, seen) = send_as(policy.clone(), request, [Act::Answer(busy)]).await;
            let sent = sent.unwrap();
            assert_eq!((seen.calls(), body.polls()), (1, 0));
            assert_eq!(sent.headers(), &headers);
            let [arrived] = <[_; 1]>::try_from(seen.take_requests()).unwrap();
            assert!(arrived.head.extensions.get::<Counted>().is_some());
            assert_eq!(arrived.head.headers.len(), 1);
            assert_eq!(clones.load(SeqCst), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_selected_is_retried() {
    let policy = RetryPolicy::standard().with_selection(|head| head.method == "POST");
    let (_, seen) = send(policy.clone(), failing(ErrorKind::Unavailable, 1)).await;
    assert_eq!(seen.calls(), 2);
    let (_, seen) = send_as(policy, with_method("GET"), failing(ErrorKind::Unavailable, 1)).await;
    assert_eq!(seen.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rule_goes_before_advice_and_safety_and_the_usual_ones_fill_its_gaps() {
    let policy = RetryPolicy::standard().with_rule(|failure| match failure.error().kind() {
        ErrorKind::PermissionDenied | ErrorKind::BadGateway => Some(Decision::Retry),
        ErrorKind::Unavailable => Some(Decision::GiveUp),
        _ => None,
    });
    for (kind, attempts) in [
        (ErrorKind::PermissionDenied, 2),
        (ErrorKind::BadGateway, 2),
        (ErrorKind::Unavailable, 1),
        (ErrorKind::System, 2),
        (ErrorKind::Timeout, 1),
        (ErrorKind::NotFound, 1),
    ] {
        let (_, seen) = send(policy.clone(), failing(kind, 1)).await;
        assert_eq!(seen.calls(), attempts, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_sees_the_failure() {
    let (sender, seen) = std::sync::mpsc::channel();
    let policy = RetryPolicy::standard().with_unknown_outcomes().with_rule(move |failure| {
        let path = failure.head().uri.path().to_owned();
        assert!(failure.head().headers.get("x-retry-count").is_none());
        let kind = failure.error().kind();
        sender
            .send((kind, failure.safety(), failure.is_answer(), failure.retries(), path))
            .unwrap();
        None
    });
    let raised = Dialect::Errcode.response(&Error::new(ErrorKind::Overloaded));
    let raised = kimi_errors::decode(raised.status(), raised.headers(), raised.body()).unwrap();
    let acts = [
        Act::Fail(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
        // An answer that a layer within has raised.
        Act::Fail(raised.into()),
        Act::Answer(answer(502, "text/html", "")),
        // The rule is asked about the last attempt, too.
        Act::Fail("boom".into()),
    ];
    let (sent, _) = send(policy, acts).await;
    assert!(sent.is_err());
    let path = || "/v1/chat/completions".to_owned();
    assert_eq!(
        seen.try_iter().collect::<Vec<_>>(),
        [
            (ErrorKind::BadGateway, Safety::NeverSent, false, 0, path()),
            (ErrorKind::Overloaded, Safety::Refused, true, 1, path()),
            (ErrorKind::BadGateway, Safety::Unknown, true, 2, path()),
            (ErrorKind::System, Safety::Unknown, false, 3, path()),
        ]
    );
}

/// The bug: whatever followed the last retry was told never to be tried again, also what nobody
/// would have tried again.
#[tokio::test(start_paused = true)]
async fn the_last_failure_is_judged_like_the_others() {
    let unavailable = || Ok(error(ErrorKind::Unavailable));
    let last = |failure: fn() -> Result<Response<ProbeBody>, BoxError>| {
        timed(move |attempt| if attempt < 3 { unavailable() } else { failure() }).0
    };
    let layer = |policy| RetryLayer::new(policy);
    let send = |policy, service| layer(policy).layer(service).oneshot(chat());

    let used_up = send(RetryPolicy::standard(), last(|| Ok(error(ErrorKind::System)))).await;
    assert_eq!(should_retry(&used_up.unwrap()), Some("false"));
    let unknown = send(RetryPolicy::standard(), last(|| Ok(answer(502, "text/html", "")))).await;
    assert_eq!(should_retry(&unknown.unwrap()), None);
    let broken = send(RetryPolicy::standard(), last(|| Err("boom".into()))).await;
    assert_eq!(broken.unwrap_err().advice().name(), "backoff");
    let article = send(RetryPolicy::article(), last(|| Ok(error(ErrorKind::StreamBusy)))).await;
    let article = article.unwrap();
    assert_eq!((article.status(), should_retry(&article)), (StatusCode::TOO_MANY_REQUESTS, None));
    let ours = RetryPolicy::standard().with_rule(|failure| {
        (failure.head().uri.path() == "/v1/chat/completions").then_some(Decision::Retry)
    });
    let ours = send(ours, last(|| Ok(error(ErrorKind::NotFound)))).await;
    assert_eq!(should_retry(&ours.unwrap()), Some("false"));
}
