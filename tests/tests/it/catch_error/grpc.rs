//! gRPC requests.

use http::{HeaderValue, StatusCode, Version, header};
use http_body::{Body as _, SizeHint};
use kimi_errors::{Dialect, Lang, grpc};
use kimi_testkit::probe::{Act, Beat, ProbeBody};
use kimi_tower::catch_error::CatchErrorLayer;

use super::{CANARY, answer_to, busy, error_in, grpc_request, read, text, with_type};

#[tokio::test]
async fn a_grpc_request_is_refused_in_trailers_only() {
    let not_found = {
        let mut response = with_type("text/plain", ProbeBody::full("no such page"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    };
    for (act, code) in [
        (Act::Fail(busy().into()), 10),
        (Act::Panic(CANARY), 13),
        (Act::Answer(not_found), 12),
        (Act::Answer(Dialect::Errcode.response(&busy()).map(ProbeBody::full)), 10),
    ] {
        let answer = answer_to(grpc_request(), CatchErrorLayer::new(), act).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["grpc-status"], code.to_string().as_str());
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/grpc");
        assert!(error_in(&answer).is_some());
        assert!(answer.body().is_end_stream());
        assert_eq!(text(answer).await, "");
    }
}

#[tokio::test]
async fn a_grpc_stream_fails_in_its_trailers() {
    for beat in [Beat::Fail(busy().into()), Beat::Panic(CANARY)] {
        let body =
            ProbeBody::chunks(["message"]).with_size_hint(SizeHint::with_exact(99)).then(beat);
        let inner = with_type("application/grpc", body);
        let answer = answer_to(grpc_request(), CatchErrorLayer::new(), Act::Answer(inner)).await;
        assert_eq!(answer.body().size_hint().exact(), None, "it may be shorter");
        let (data, trailers, error) = read(answer).await;
        assert_eq!(data, "message");
        assert!(trailers.unwrap().contains_key("grpc-status"));
        assert!(error.is_none());
    }
}

#[tokio::test]
async fn grpc_speaks_the_layers_language() {
    let body = ProbeBody::chunks(["message"]).then(Beat::Fail(busy().into()));
    let inner = with_type("application/grpc", body);
    let layer = CatchErrorLayer::new().with_lang(Lang::En);
    let english = "a stream is already running in this conversation";

    let refusal = answer_to(grpc_request(), layer, Act::Fail(busy().into())).await;
    assert_eq!(grpc::from_trailers(refusal.headers()).unwrap().message(), english);
    let (_, trailers, _) = read(answer_to(grpc_request(), layer, Act::Answer(inner)).await).await;
    assert_eq!(grpc::from_trailers(&trailers.unwrap()).unwrap().message(), english);
}

#[tokio::test]
async fn grpc_web_and_http1_are_answered_as_http() {
    let mut old = grpc_request();
    *old.version_mut() = Version::HTTP_11;
    let mut web = grpc_request();
    let web_type = HeaderValue::from_static("application/grpc-web+proto");
    web.headers_mut().insert(header::CONTENT_TYPE, web_type);
    for request in [old, web] {
        let answer = answer_to(request, CatchErrorLayer::new(), Act::Fail(busy().into())).await;
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    }
}
