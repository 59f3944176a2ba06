//! `catch_error` around probes: what each failure turns into, before and after the head.

mod after_the_head;
mod before_the_head;
mod event_stream;
mod grpc;
mod rewritten;

use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use kimi_errors::{Error, ErrorKind};
use kimi_testkit::probe::{Act, Probe, ProbeBody, Seen};
use kimi_tower::catch_error::{CatchError, CatchErrorLayer, ResponseBody};
use tower::ServiceExt;
use tower_layer::Layer as _;

/// Stands in everything that must not come out.
const CANARY: &str = "hunter2";
/// The answer to whatever nobody outside should read about.
const SYSTEM: &str = r#"{"errcode":-1000,"errmsg":"系统异常，请稍后重试","data":null}"#;

type Answer = Response<ResponseBody<ProbeBody>>;

fn stack(layer: CatchErrorLayer, act: Act) -> (CatchError<Probe>, Seen) {
    let (probe, seen) = Probe::new([act]);
    (layer.layer(probe), seen)
}

fn request() -> Request<ProbeBody> {
    Request::new(ProbeBody::empty())
}

fn grpc_request() -> Request<ProbeBody> {
    let mut request = request();
    *request.version_mut() = Version::HTTP_2;
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    request
}

fn head_request() -> Request<ProbeBody> {
    let mut request = request();
    *request.method_mut() = Method::HEAD;
    request
}

async fn ready(service: &mut CatchError<Probe>) {
    ServiceExt::<Request<ProbeBody>>::ready(service).await.unwrap_or_else(|never| match never {});
}

async fn answer_to(request: Request<ProbeBody>, layer: CatchErrorLayer, act: Act) -> Answer {
    stack(layer, act).0.oneshot(request).await.unwrap_or_else(|never| match never {})
}

async fn answer(layer: CatchErrorLayer, act: Act) -> Answer {
    answer_to(request(), layer, act).await
}

/// Returns all data, the trailers, and the error if there was one; the body is over after it.
async fn read(answer: Answer) -> (String, Option<HeaderMap>, Option<Error>) {
    let mut body = Box::pin(answer.into_body());
    let (mut data, mut trailers, mut error) = (Vec::new(), None, None);
    while let Some(frame) = body.frame().await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(bytes)) => data.extend_from_slice(&bytes),
            Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
            Err(failure) => {
                error = Some(failure);
                break;
            }
        }
    }
    if error.is_some() {
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
        assert!(body.frame().await.is_none(), "a failed body is over");
    }
    (String::from_utf8(data).unwrap(), trailers, error)
}

async fn text(answer: Answer) -> String {
    let (text, trailers, error) = read(answer).await;
    assert!(trailers.is_none() && error.is_none());
    text
}

fn error_in(answer: &Answer) -> Option<&Error> {
    answer.extensions().get()
}

fn busy() -> Error {
    Error::new(ErrorKind::StreamBusy)
}

fn with_type(content_type: &'static str, body: ProbeBody) -> Response<ProbeBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
