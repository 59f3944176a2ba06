//! `raise_error` around probes and the scripted upstream: what passes, what is raised, and when.

mod after_the_head;
mod before_the_head;
mod cuts;
mod dropped;
mod retried;
mod translated;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt as _;
use kimi_errors::{Error, chain};
use kimi_testkit::probe::{Act, Probe, ProbeBody};
use kimi_tower::raise_error::{Interrupted, RaiseErrorLayer, ResponseBody};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

type Answer = Response<ResponseBody<ProbeBody>>;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream; charset=utf-8";
/// An event that is an error, in the platform's form.
const ERROR: &str = r#"data: {"error":{"message":"x","type":"engine_overloaded_error"}}"#;

fn answer(status: u16, content_type: &'static str, body: ProbeBody) -> Response<ProbeBody> {
    let answer = Response::builder().status(status);
    answer.header(header::CONTENT_TYPE, content_type).body(body).unwrap()
}

async fn send_by(
    layer: RaiseErrorLayer,
    method: Method,
    answer: Response<ProbeBody>,
) -> Result<Answer, Error> {
    let (probe, _) = Probe::new([Act::Answer(answer)]);
    let mut request = Request::new(ProbeBody::empty());
    *request.method_mut() = method;
    layer.layer(probe).oneshot(request).await
}

async fn send(answer: Response<ProbeBody>) -> Result<Answer, Error> {
    send_by(RaiseErrorLayer::new(), Method::POST, answer).await
}

/// Returns the error of an exchange that has no answer.
async fn raised(answer: Response<ProbeBody>) -> Error {
    send(answer).await.map(|_| ()).unwrap_err()
}

/// Returns all data and the error after it, if there is one.
async fn read(answer: Answer) -> (Vec<u8>, Option<Error>) {
    let mut body = answer.into_body();
    let mut data = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => data.extend(frame.into_data().into_iter().flatten()),
            Err(error) => {
                assert!(body.frame().await.is_none(), "a failed body is over");
                return (data, Some(error));
            }
        }
    }
    (data, None)
}

/// Returns bytes and events handed on before an error.
fn position(error: &Error) -> (u64, u64) {
    let interrupted: &Interrupted = chain::find(error).unwrap();
    (interrupted.bytes(), interrupted.events())
}

fn value(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}

fn pieces(bytes: &[u8], size: usize) -> Vec<Bytes> {
    bytes.chunks(size).map(Bytes::copy_from_slice).collect()
}
