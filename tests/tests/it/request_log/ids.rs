//! The id of a request: whose it is, and where it stands.

use http::{HeaderValue, Request, Response};
use kimi_errors::{BoxError, Dialect, Error, ErrorKind};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    facts::Facts,
    request_log::{RequestLogLayer, Side},
};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{EVENTS, JSON, Log, Script, Step, answer, ask, data, layer, now, read};

fn with_id(id: &str) -> Request<()> {
    let mut request = ask();
    request.headers_mut().insert("x-request-id", HeaderValue::from_bytes(id.as_bytes()).unwrap());
    request
}

fn id_of<B>(answer: &Response<B>) -> &str {
    answer.headers()["x-request-id"].to_str().unwrap()
}

async fn ok(_: Request<()>) -> Result<Response<Script>, BoxError> {
    Ok(answer(200, JSON, Script::text(&[])))
}

#[test]
fn a_callers_id_is_kept_and_answered() {
    let (layer, log) = layer();
    let answer = now(layer.layer(service_fn(ok)).oneshot(with_id("req-7"))).unwrap();
    assert_eq!(id_of(&answer), "req-7");
    drop(answer);
    assert_eq!(log.only().id, "req-7");
}

#[test]
fn what_is_no_id_gives_way_to_one_of_ours() {
    for bad in ["", "a b", "x\"y", "日", "sk-aBcDeFgHiJkLmNoPqRsT0123456789", &"1".repeat(65)] {
        let (layer, log) = layer();
        let answer = now(layer.layer(service_fn(ok)).oneshot(with_id(bad))).unwrap();
        let id = id_of(&answer).to_owned();
        assert_eq!((id.len(), &id[14..15]), (36, "7"), "{bad:?}");
        drop(answer);
        assert_eq!(log.only().id, id);
    }
}

#[test]
fn a_handler_can_read_it() {
    let (layer, log) = layer();
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let facts = request.extensions().get::<Facts>().unwrap();
        let id = facts.request_id().unwrap().to_string();
        Ok::<_, BoxError>(answer(200, JSON, Script::text(&[&id]).that_says_its_end()))
    }));
    let answer = now(service.oneshot(ask())).unwrap();
    let id = id_of(&answer).to_owned();
    assert_eq!(read(&mut Box::pin(answer.into_body())).bytes, id.as_bytes());
    assert_eq!(log.only().id, id);
}

/// In the error itself, and so in the head and body that `catch_error` makes of it.
#[test]
fn it_stands_in_errors_and_in_their_answers() {
    let (layer, log) = layer();
    let fails = service_fn(async |_: Request<()>| {
        Err::<Response<Script>, _>(Error::new(ErrorKind::StreamBusy).with_request_id("theirs"))
    });
    let error = now(layer.layer(fails).oneshot(ask())).err().unwrap();
    let kept = log.only();
    assert_eq!(error.request_id(), Some(&*kept.id));
    assert_eq!(kept.upstream_id.as_deref(), Some("theirs"));

    let catches = CatchErrorLayer::new().with_dialect(Dialect::OpenAi);
    let service = ServiceBuilder::new().layer(catches).layer(layer).service(fails);
    let answer = now(service.oneshot(with_id("req-7"))).unwrap();
    assert_eq!(id_of(&answer), "req-7");
}

#[test]
fn it_stands_in_the_last_event_of_a_stream() {
    let (layer, _) = layer();
    let streams = service_fn(async |_: Request<()>| {
        let error = Error::new(ErrorKind::Overloaded);
        let body = Script::new([data("data: 1\n\n"), Step::Fail(error.into())]);
        Ok::<_, BoxError>(answer(200, EVENTS, body))
    });
    let catches = CatchErrorLayer::new().with_dialect(Dialect::OpenAi);
    let service = ServiceBuilder::new().layer(catches).layer(layer).service(streams);
    let answer = now(service.oneshot(with_id("req-7"))).unwrap();
    let body = read(&mut Box::pin(answer.into_body())).bytes;
    assert!(String::from_utf8(body).unwrap().contains(r#""request_id":"req-7""#));
}

#[test]
fn it_stands_in_an_answer_that_holds_its_error() {
    let (layer, log) = layer();
    let answers = service_fn(async |_: Request<()>| {
        let mut answer = answer(404, JSON, Script::text(&["{}"]));
        answer.extensions_mut().insert(Error::new(ErrorKind::NotFound));
        Ok::<_, BoxError>(answer)
    });
    let answer = now(layer.layer(answers).oneshot(with_id("req-7"))).unwrap();
    assert_eq!(answer.extensions().get::<Error>().unwrap().request_id(), Some("req-7"));
    drop(answer);
    assert_eq!(log.only().error_type.as_deref(), Some("not_found"));
}

#[test]
fn it_stands_in_an_error_after_the_head() {
    for kept in [true, false] {
        let (layer, _) = layer();
        let streams = service_fn(async |_: Request<()>| {
            let error = Error::new(ErrorKind::Overloaded);
            let body = Script::new([data("data: 1\n\n"), Step::Fail(error.into())]);
            Ok::<_, BoxError>(answer(200, EVENTS, body))
        });
        let layer = if kept { layer } else { RequestLogLayer::new().with_observer(Log::default()) };
        let answer = now(layer.layer(streams).oneshot(with_id("req-7"))).unwrap();
        let error = read(&mut Box::pin(answer.into_body())).error.unwrap();
        assert_eq!((error.kind(), error.request_id()), (ErrorKind::Overloaded, Some("req-7")));
    }
}

/// A caller asks the upstream by the upstream's id.
#[test]
fn on_the_clients_side_the_upstreams_id_stays() {
    let (layer, log) = layer();
    let layer = layer.with_side(Side::Client);
    let answers = service_fn(async |_: Request<()>| {
        let mut answer = answer(200, JSON, Script::text(&[]));
        answer.headers_mut().insert("x-request-id", HeaderValue::from_static("theirs"));
        Ok::<_, BoxError>(answer)
    });
    let answer = now(layer.layer(answers).oneshot(with_id("req-7"))).unwrap();
    assert_eq!(id_of(&answer), "theirs");
    drop(answer);
    let kept = log.only();
    assert_eq!((&*kept.id, kept.upstream_id.as_deref()), ("req-7", Some("theirs")));

    let fails = service_fn(async |_: Request<()>| {
        Err::<Response<Script>, _>(Error::new(ErrorKind::StreamBusy).with_request_id("theirs"))
    });
    let error = now(layer.layer(fails).oneshot(with_id("req-7"))).err().unwrap();
    assert_eq!(error.request_id(), Some("theirs"));
}

/// A server's log and that of the client within it.
#[test]
fn a_log_within_another_has_the_same_id() {
    let (outer, log) = layer();
    let (inner, inner_log) = layer();
    let stack = outer.layer(inner.with_side(Side::Client).layer(service_fn(ok)));
    drop(now(stack.oneshot(ask())).unwrap());
    assert_eq!(log.only().id, inner_log.only().id);
}
