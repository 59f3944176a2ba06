//! What a record says of the request itself, and of times.

use std::time::Duration;

use http::{Method, Request, Uri, Version};
use kimi_errors::BoxError;
use kimi_tower::request_log::{Outcome, RequestLogLayer, Side};
use tokio::time::sleep;
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{EVENTS, JSON, Log, Script, answer, ask, layer, now};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn the_trace_is_told_and_passed_on_untouched() {
    for (value, told) in [(PARENT, true), ("00-0-0-0", false), ("CaNaRy", false)] {
        let (layer, log) = layer();
        let service = layer.layer(service_fn(move |request: Request<()>| async move {
            assert_eq!(request.headers()["traceparent"], value);
            assert_eq!(request.headers()["tracestate"], "a=b");
            Ok::<_, BoxError>(answer(200, JSON, Script::text(&[])))
        }));
        let mut request = ask();
        request.headers_mut().insert("traceparent", value.parse().unwrap());
        request.headers_mut().insert("tracestate", "a=b".parse().unwrap());
        drop(now(service.oneshot(request)).unwrap());
        assert_eq!(log.only().trace, told.then(|| value.to_owned()));
    }
}

fn of(layer: &RequestLogLayer<Log>, log: &Log, request: Request<()>) -> super::Kept {
    let service = layer.layer(service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(answer(200, JSON, Script::text(&[])))
    }));
    drop(now(service.oneshot(request)).unwrap());
    log.only()
}

#[test]
fn of_the_target_only_the_path_is_told() {
    for (uri, path) in [
        ("/v1/chat/completions?api_key=x", "/v1/chat/completions"),
        ("https://user:word@kimi.com:8443/%0a?x#y", "/%0a"),
        ("https://kimi.com", "/"),
        ("*", "*"),
    ] {
        let (layer, log) = layer();
        let mut request = ask();
        *request.uri_mut() = uri.parse().unwrap();
        let kept = of(&layer, &log, request);
        assert_eq!((&*kept.path, kept.server), (path, None), "{uri}");
    }
    let (layer, log) = layer();
    let mut request = ask();
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = Uri::from_static("kimi.com:443");
    assert_eq!(of(&layer, &log, request).path, "/");
}

#[test]
fn a_client_tells_to_whom_it_sends() {
    let (layer, log) = layer();
    let mut request = ask();
    *request.uri_mut() = Uri::from_static("https://user:word@kimi.com:8443/v1/models");
    *request.version_mut() = Version::HTTP_2;
    let kept = of(&layer.with_side(Side::Client), &log, request);
    assert_eq!(kept.server, Some(("kimi.com".to_owned(), Some(8443))));
}

#[test]
fn the_route_is_what_somebody_says() {
    let (layer, log) = layer();
    let layer =
        layer.with_route(|extensions| Some(extensions.get::<&'static str>().copied()?.into()));
    let mut request = ask();
    request.extensions_mut().insert("/v1/{what}");
    assert_eq!(of(&layer, &log, request).route.as_deref(), Some("/v1/{what}"));
    assert_eq!(of(&layer, &log, ask()).route, None);
}

#[tokio::test(start_paused = true)]
async fn times_are_those_that_have_passed() {
    const CHUNK: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let opening = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for asks in [true, false] {
        let (mut layer, log) = layer();
        if asks {
            layer = layer.with_longest_gap();
        }
        let service = layer.layer(service_fn(async |_: Request<()>| {
            sleep(Duration::from_secs(3)).await;
            let texts = [opening, CHUNK, CHUNK, CHUNK, "data: [DONE]\n\n"];
            Ok::<_, BoxError>(answer(200, EVENTS, Script::text(&texts)))
        }));
        let answer = service.oneshot(ask()).await.unwrap();
        let mut body = Box::pin(answer.into_body());
        // Before each frame, and before the end.
        for pause in [1, 2, 5, 4, 0, 1] {
            sleep(Duration::from_secs(pause)).await;
            let frame = std::future::poll_fn(|cx| http_body::Body::poll_frame(body.as_mut(), cx));
            let _ = frame.await;
        }
        let kept = log.only();
        assert_eq!(kept.outcome, Outcome::Success);
        assert_eq!(kept.time_to_head, seconds(3));
        assert_eq!(kept.time_to_first_content, seconds(3 + 1 + 2));
        assert_eq!(kept.longest_gap, if asks { seconds(5) } else { None });
        assert_eq!(Some(kept.duration), seconds(3 + 13));
    }
}
