//! Canaries: secrets are planted wherever a stranger or a broken service can put one, and must
//! show in nothing that an error is written as.

use std::{error::Error as StdError, fmt, io, time::Duration};

use axum_core::response::IntoResponse as _;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kimi_errors::{BoxError, Dialect, Error, ErrorKind, Received, decode, decode_event, grpc};
use kimi_testkit::probe::{Probe, ProbeBody};
use kimi_tower::{
    facts::Facts,
    rate_limit::{Admission, Gcra, Plan, Quota, RateLimitLayer, Rule},
};
use serde_json::{Value, json};
use tower::{Service as _, ServiceExt};
use tower_layer::Layer as _;

/// Stands in every planted secret, and in nothing else.
const CANARY: &str = "CaNaRy0";

/// Secrets in the forms in which Kimi, OpenAI and HTTP write them.
fn secrets() -> Vec<String> {
    [
        "sk-CaNaRy0CaNaRy0CaNaRy0",
        "eyJhbGciOiJIUzI1NiJ9.eyJCaNaRy0.CaNaRy0",
        "Bearer CaNaRy0",
        "Basic CaNaRy0CaNaRy0==",
        "Cookie: kimi-auth=CaNaRy0; theme=dark",
        "https://user:CaNaRy0@kimi.com/share",
        "https://kimi.com/file.pdf?sign=CaNaRy0#CaNaRy0",
        "GET -> /v1/models?CaNaRy0",
        "refresh_token=CaNaRy0",
        "\"access_token\":\"CaNaRy0\"",
        "{\\\"password\\\": \\\"CaNaRy0\\\"}",
        "x-api-key: CaNaRy0",
        "Incorrect API key provided: CaNaRy0",
        "invalid user token: CaNaRy0 for CaNaRy0",
        "Your account org-CaNaRy0<ak-CaNaRy0> is suspended",
        "Bea\u{200b}rer CaNaRy0",
        "token:\r\nCaNaRy0",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// An error that shows its secret in all it can, as those of many crates do.
#[derive(Debug)]
struct Leaky(String, Option<BoxError>);

impl fmt::Display for Leaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Leaky {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

/// The secret as the private cause of an error.
fn in_sources(secret: &str) -> Vec<Error> {
    let leaky = || Leaky(secret.to_owned(), Some(Leaky(secret.to_owned(), None).into()));
    let json = serde_json::to_string(&[secret]).unwrap();
    vec![
        Error::new(ErrorKind::System).with_source(leaky()),
        Error::from(BoxError::from(leaky())),
        Error::from(io::Error::other(leaky())),
        Error::from(io::Error::new(io::ErrorKind::TimedOut, leaky())),
        Error::from(serde_json::from_str::<Vec<u8>>(&json).unwrap_err()),
        Error::from(serde_json::from_str::<Vec<u8>>(secret).unwrap_err()),
        Error::from(tonic::Status::from_error(leaky().into())),
        Error::from(BoxError::from(tonic::Status::from_error(leaky().into()))),
    ]
}

/// The secret in what is set by hand, as a proxy does with what it was told.
fn in_public_parts(secret: &str) -> Vec<Error> {
    let mut received = Received::default();
    received.code = Some(secret.into());
    received.error_type = Some(secret.into());
    vec![
        Error::new(ErrorKind::RequestFailed).with_message(secret.to_owned()),
        Error::new(ErrorKind::RequestFailed).with_message(format!("[请求kimi失败]: {secret} ")),
        Error::new(ErrorKind::RequestFailed).with_message(format!("{}{secret}", "x ".repeat(2040))),
        Error::new(ErrorKind::ParamsInvalid).with_param(secret),
        Error::new(ErrorKind::System).with_request_id(secret),
        Error::new(ErrorKind::System).with_received(received),
    ]
}

/// The secret in what an upstream sent. Here goes all that reads bytes of a stranger: whatever
/// returns an `Error` from an answer gets a line for its status, head and body.
fn in_answers(secret: &str) -> Vec<Error> {
    let encoded: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("13"));
    trailers.insert("grpc-message", HeaderValue::try_from(encoded).unwrap());
    trailers.insert("grpc-status-details-bin", HeaderValue::try_from(details(secret)).unwrap());
    if let Ok(secret) = HeaderValue::try_from(secret) {
        trailers.insert("x-request-id", secret.clone());
        trailers.insert("grpc-retry-pushback-ms", secret.clone());
        trailers.insert(header::AUTHORIZATION, secret);
    }
    let status = tonic::Status::from_header_map(&trailers).unwrap();
    let mut errors = vec![grpc::from_trailers(&trailers).unwrap(), status.into()];
    for body in bodies(secret) {
        for status in [StatusCode::OK, StatusCode::UNAUTHORIZED, StatusCode::BAD_GATEWAY] {
            errors.extend(decode(status, &HeaderMap::new(), body.as_bytes()));
        }
        errors.extend(decode_event(body.as_bytes()));
    }
    for name in HEAD_FIELDS {
        let Ok(value) = HeaderValue::from_bytes(secret.as_bytes()) else { continue };
        let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
        for body in
            ["", "{\"errcode\":-2002}", "{\"error\":{\"type\":\"rate_limit_reached_error\"}}"]
        {
            errors.extend(decode(StatusCode::UNAUTHORIZED, &headers, body.as_bytes()));
        }
    }
    errors
}

/// Fields that name an account or a credential, and all that decoding reads.
const HEAD_FIELDS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "msh-uid",
    "msh-org-id",
    "msh-project-id",
    "www-authenticate",
    "allow",
    "location",
    "server",
    "via",
    "date",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "x-ratelimit-reset-requests",
    "x-ratelimit-secret",
    "ratelimit",
    "ratelimit-policy",
    "x-request-id",
    "msh-request-id",
    "x-trace-id",
    "x-kimi-error",
];

/// Bodies with the secret in every member that decoding reads, in some that it does not, in pages
/// and lines.
fn bodies(secret: &str) -> Vec<String> {
    let all = json!({
        "message": secret, "msg": secret, "errmsg": secret, "type": secret, "error_type": secret,
        "code": secret, "param": secret, "request_id": secret, "detail": secret, "data": secret,
        "reason": secret, "localizedMessage": { "message": secret }, "stack": [secret],
        "user": { "token": secret }, "error_description": secret,
    });
    let with = |more: Value| {
        let mut object = all.clone();
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let said = format!("请求失败: {secret}");
    let objects = [
        json!({ "error": all }),
        json!({ "error": { "message": format!("upstream said {secret}"), "type": "server_error" } }),
        json!({ "error": { "message": json!({ "error": all }).to_string() } }),
        json!({ "error": "invalid_grant", "error_description": secret }),
        json!({ "error": said }),
        json!({ "errcode": -2001, "errmsg": said, "data": { "token": secret } }),
        json!({ "code": -2001, "message": format!("[请求kimi失败]: {secret}"), "data": secret }),
        json!({ "code": "unauthenticated", "message": secret, "details": [{ "debug": all }] }),
        json!({ "code": 40901, "msg": secret, "data": secret, "request_id": secret }),
        json!({ "event": "error", "error": all }),
        with(json!({ "errcode": -2002 })),
        with(json!({ "error_type": "auth.token.invalid" })),
        with(json!({ "error": secret })),
        all,
    ];
    let mut bodies: Vec<String> = objects.iter().map(Value::to_string).collect();
    bodies.extend(objects.iter().map(|object| format!("event: error\ndata: {object}\n\n")));
    bodies.push(Value::from(objects[0].to_string()).to_string());
    bodies.push(format!("[{}]", objects[0]));
    bodies.push(format!("<html><title>502 {secret}</title><body>{secret}</body></html>"));
    bodies.push(format!("upstream connect error: {secret}"));
    bodies.push(secret.to_owned());
    bodies
}

/// A `google.rpc.Status` of code 13 with an `ErrorInfo` whose reason and request id are `secret`,
/// once as ours and once as another's.
fn details(secret: &str) -> String {
    let field = |number: u8, bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).unwrap();
        let (low, high) = (length | 0x80, length >> 7);
        [&[number << 3 | 2, low, high], bytes].concat()
    };
    let entry = [field(1, b"request_id"), field(2, secret.as_bytes())].concat();
    let info = |reason: &[u8], domain: &[u8]| {
        let info = [field(1, reason), field(2, domain), field(3, &entry)].concat();
        let name = field(1, b"type.googleapis.com/google.rpc.ErrorInfo");
        field(3, &[name, field(2, &info)].concat())
    };
    let status =
        [vec![0x08, 13], info(secret.as_bytes(), b"example.com"), info(b"SYSTEM", b"kimi")];
    STANDARD_NO_PAD.encode(status.concat())
}

/// Everything that an error is ever written as, in one text.
async fn everything(error: &Error) -> String {
    let mut all = format!("{error} {error:?} {error:#?} {:?}", error.received());
    for dialect in Dialect::ALL {
        all += &String::from_utf8_lossy(&dialect.body(error));
        all += &String::from_utf8_lossy(&dialect.sse_frame(error));
        all += &format!("{:?}", dialect.headers(error));
        all += &format!("{:?}", dialect.response(error));
    }

    let answer = error.clone().into_response();
    all += &format!("{answer:?}");
    all += &String::from_utf8_lossy(&answer.into_body().collect().await.unwrap().to_bytes());

    let trailers = grpc::trailers(error);
    let details = STANDARD_NO_PAD.decode(&trailers["grpc-status-details-bin"]).unwrap();
    all += &String::from_utf8_lossy(&details);
    all += &format!("{trailers:?} {:?}", grpc::trailers_only(error));

    let status = tonic::Status::from(error.clone());
    let mut head = HeaderMap::new();
    status.add_header(&mut head).unwrap();
    let read = tonic::Status::from_header_map(&head).unwrap();
    all += &format!("{status} {status:?} {head:?} {read:?}");
    all += &String::from_utf8_lossy(read.details());
    all
}

async fn assert_silent(plant: impl Fn(&str) -> Vec<Error>) {
    for secret in secrets() {
        assert!(secret.contains(CANARY));
        for (place, error) in plant(&secret).iter().enumerate() {
            let all = everything(error).await;
            assert!(!all.contains(CANARY), "{secret:?} in place {place}: {all}");
        }
    }
}

#[tokio::test]
async fn a_secret_in_a_source_shows_nowhere() {
    assert_silent(in_sources).await;
}

#[tokio::test]
async fn a_secret_in_message_code_param_or_request_id_shows_nowhere() {
    assert_silent(in_public_parts).await;
}

#[tokio::test]
async fn a_secret_in_an_answer_shows_nowhere() {
    assert_silent(in_answers).await;
}

/// `data` and head fields are what a service chose to publish: they show where they belong, and
/// there only.
#[tokio::test]
async fn data_shows_in_bodies_and_head_fields_in_heads_only() {
    let plain = |error: &Error| format!("{error} {error:?} {:?}", grpc::trailers(error));

    let error = Error::new(ErrorKind::Validation).with_data(serde_json::json!([CANARY]));
    assert!(!plain(&error).contains(CANARY));
    assert!(!format!("{:?}", Dialect::Errcode.headers(&error)).contains(CANARY));
    assert!(String::from_utf8_lossy(&Dialect::Errcode.body(&error)).contains(CANARY));

    let value = HeaderValue::from_static("Bearer realm=\"CaNaRy0\"");
    let error = Error::new(ErrorKind::TokenExpired).with_header(header::WWW_AUTHENTICATE, value);
    assert!(!plain(&error).contains(CANARY));
    assert!(!String::from_utf8_lossy(&Dialect::Compat.body(&error)).contains(CANARY));
    assert!(format!("{:?}", Dialect::Compat.headers(&error)).contains(CANARY));
}

/// A limit knows its callers by their credentials, and shows none: not in refusals, their fields and
/// facts, nor in anything that can be printed. What it logs, see `rate_limit`.
#[tokio::test(start_paused = true)]
async fn whose_limit_it_is_shows_nowhere() {
    for secret in secrets() {
        let Ok(credential) = HeaderValue::try_from(&secret) else { continue };
        let facts = Facts::new();
        let ask = || {
            let mut request = Request::get("/v1/models").extension(facts.clone());
            let headers = request.headers_mut().unwrap();
            for name in ["authorization", "x-api-key", "cookie"] {
                headers.insert(name, credential.clone());
            }
            request.body(ProbeBody::empty()).unwrap()
        };
        let limit = Rule::requests(Gcra::new(Quota::try_per_minute(1).unwrap()));
        let tokens = Rule::tokens(Gcra::new(Quota::try_per_minute(9).unwrap()));
        let plan = Plan::new(limit).try_with(tokens).unwrap();
        let day = Duration::from_secs(86_400);
        let waits = Admission::Wait { max_wait: day, max_queue: 1 };
        let layer = RateLimitLayer::new(plan).with_tokens(|_: &_| 1).with_admission(waits);
        let (probe, _) = Probe::new([]);
        let mut service = layer.layer(probe);
        let mut all = String::new();
        let answer = service.clone().oneshot(ask()).await.unwrap();
        all += &format!("{answer:?}");
        let ready = ServiceExt::<Request<ProbeBody>>::ready(&mut service).await;
        let waiting = ready.unwrap().call(ask());
        all += &format!("{waiting:?}");
        let refused = service.clone().oneshot(ask()).await.unwrap_err();
        all += &everything(&refused).await;
        let never = layer.clone().with_tokens(|_: &_| 10).layer(Probe::new([]).0);
        let never = never.oneshot(ask()).await.unwrap_err();
        all += &everything(&never).await;
        // Around nothing, since a probe shows what it was sent.
        all += &format!("{layer:?} {:?} {:?} {facts:?}", layer.layer(()), layer.store());
        assert!(!all.contains(CANARY), "{secret:?}: {all}");
    }
}

/// The probe itself must be able to see a canary.
#[tokio::test]
async fn the_probe_sees_what_is_written() {
    let error = Error::new(ErrorKind::System).with_message(CANARY);
    let all = everything(&error).await;
    assert!(all.matches(CANARY).count() > 20, "{all}");
}
