//! Every known error answer can be had by its id.

use http::HeaderValue;
use kimi_errors::{Dialect, Error, ErrorKind};
use kimi_testkit::script::{Fault, Step};
use serde_json::Value;

use super::{Mock, ask, chat, hello, streamed};

async fn answered(id: &str, stream: bool) -> super::Answer {
    let mut request = chat(&if stream { streamed() } else { hello() });
    request.headers_mut().insert("x-mock-fault", HeaderValue::from_str(id).unwrap());
    ask(&Mock::platform(), request).await
}

/// Says nothing on the wire: the type or message in the file is ours.
const WITHOUT_A_WORD: &[&str] = &[
    "plat.truncated_stream",
    "plat.stream_error_chunk",
    "connect.unsupported_media",
    "web.sse_length",
    "web.sse_error",
];

#[tokio::test]
async fn every_known_error_is_answered_with_its_status_message_type_and_code() {
    for fault in Fault::all() {
        for stream in [false, true] {
            let answer = answered(fault.id(), stream).await;
            let id = fault.id();
            assert_eq!(answer.status.as_u16(), fault.status(), "{id}");
            if WITHOUT_A_WORD.contains(&id) {
                continue;
            }
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            if id == "connect.resource_exhausted_stream" {
                // Its text stands only in the base64 of a protobuf.
                assert!(body.contains("resource_exhausted"), "{id}: {body}");
                continue;
            }
            let message = serde_json::to_string(fault.message()).unwrap();
            let is_page = id == "plat.gateway_timeout";
            let message = if is_page { fault.message() } else { message.trim_matches('"') };
            // The platform's own gateway answers in Chinese.
            if id != "plat.url_not_found" {
                assert!(body.contains(message), "{id}: {body}");
            }
            if let Some(error_type) = fault.error_type()
                && !matches!(id, "free.silent_content_stop" | "local.passthrough")
            {
                assert!(body.contains(error_type), "{id}: {body}");
            }
            if let Some(code) = fault.code() {
                assert!(body.contains(&code.to_string()), "{id}: {body}");
            }
        }
    }
}

#[tokio::test]
async fn each_dialect_and_surface_has_its_own_shape() {
    let json = async |id| answered(id, false).await.json();

    let errcode = json("errcode.token").await;
    assert_eq!((&errcode["errcode"], &errcode["data"]), (&(-2002).into(), &Value::Null));
    let free = json("free.token").await;
    assert_eq!((&free["code"], &free["message"]), (&(-2002).into(), &"Token已失效".into()));
    assert_eq!(json("web.token_invalid").await["error_type"], "auth.token.invalid");
    let connect = json("connect.permission_denied").await;
    assert_eq!(connect["code"], "permission_denied");
    assert_eq!(connect["details"][0]["debug"]["reason"], "REASON_FEATURE_NO_PERMISSION");
    assert_eq!(json("plat.overloaded").await["error"]["type"], "engine_overloaded_error");
    assert_eq!(json("kc.overloaded").await["error"]["type"], "engine_overloaded_error");
    assert_eq!(json("plat.anth.invalid").await["type"], "error");
    assert!(json("plat.anth.rate_limit").await["type"].is_null());
    assert_eq!(json("agents.param").await["error"]["param"], "name");
    assert!(json("agents.conflict").await["error"]["request_id"].is_string());
    let url = json("plat.url_not_found").await;
    assert_eq!(
        (&url["error"], &url["url"]),
        (&"url.not_found".into(), &"/v1/chat/completions".into())
    );
    let oauth = json("oauth.slow_down").await;
    assert_eq!(
        (&oauth["error"], oauth["error_description"].is_string()),
        (&"slow_down".into(), true)
    );
    let local = json("local.40901").await;
    assert_eq!((&local["code"], &local["msg"]), (&40901.into(), &"session busy".into()));
    assert_eq!(json("local.passthrough").await["code"], 70000);
    assert!(json("local.40902").await["data"].is_object());
}

#[tokio::test]
async fn what_waits_helps_says_how_long() {
    assert_eq!(answered("plat.overloaded", false).await.headers["retry-after"], "1");
    assert_eq!(answered("plat.rl_rpm", false).await.headers["retry-after"], "1");
    assert_eq!(answered("agents.rate", false).await.headers["retry-after"], "1");
    for id in ["plat.quota_balance", "plat.rl_tpd", "agents.quota"] {
        let answer = answered(id, false).await;
        assert!(!answer.headers.contains_key("retry-after"), "{id}");
        assert!(answer.headers.contains_key("msh-request-id"), "{id}");
    }
}

#[tokio::test]
async fn errors_of_streams_are_streams_and_the_rest_is_not() {
    for id in
        ["plat.truncated_stream", "plat.stream_error_chunk", "web.sse_error", "web.sse_length"]
    {
        let answer = answered(id, false).await;
        assert_eq!(answer.headers["content-type"], "text/event-stream", "{id}");
        assert!(!answer.text().contains("[DONE]"), "{id}");
    }
    let error = answered("plat.stream_error_chunk", true).await.events();
    assert_eq!(error.last().unwrap()["error"]["type"], "server_error");
    let session = answered("agents.session.timeout", true).await;
    assert!(session.text().starts_with("event: session_error\n"));

    assert_eq!(answered("plat.gateway_timeout", true).await.headers["content-type"], "text/html");
    assert!(answered("connect.unsupported_media", false).await.body.is_empty());
}

#[tokio::test]
async fn a_content_stop_looks_like_a_success() {
    let unary = answered("free.silent_content_stop", false).await.json();
    let content = unary["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(content.contains("内容由于不合规被停止生成"));

    let stream = answered("free.silent_content_stop", true).await;
    assert_eq!(stream.events()[0]["choices"][0]["finish_reason"], "stop");
    assert!(stream.text().ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_connect_stream_ends_with_its_error_frame() {
    let body = answered("connect.resource_exhausted_stream", true).await.body;
    let length = |frame: &[u8]| u32::from_be_bytes(frame[1..5].try_into().unwrap()) as usize;

    let (data, end) = body.split_at(5 + length(&body));
    assert_eq!((data[0], &data[5..]), (0, &br#"{"done":{}}"#[..]));
    assert_eq!((end[0], end.len()), (2, 5 + length(end)));
    let error: Value = serde_json::from_slice(&end[5..]).unwrap();
    // 0x08 0x01: the reason; 0x12: the message; inside, 0x0a 0x05 "zh-CN" and 0x12 the text.
    let detail = error["error"]["details"][0]["value"].as_str().unwrap();
    let text = "和Kimi聊天的人太多了，请稍后再试";
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    let text = text.as_bytes();
    let localized = [b"\x0a\x05zh-CN\x12", &[length(text)][..], text].concat();
    let expected = [&[8, 1, 0x12, length(&localized)], &localized[..]].concat();
    assert_eq!(base64_of(&expected), detail);
}

/// RFC 4648 §4, written anew so that the test does not trust what it tests.
fn base64_of(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let sextets = |group: &[u8]| {
        let word = group.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - group.len()));
        (0..=group.len())
            .map(|index| alphabet[(word >> (18 - 6 * index)) as usize & 63] as char)
            .chain(std::iter::repeat_n('=', 3 - group.len()))
            .collect::<String>()
    };
    bytes.chunks(3).map(sextets).collect()
}

#[tokio::test]
async fn every_kind_is_answered_by_its_name_in_the_mocks_dialect() {
    for dialect in Dialect::ALL {
        let mock = Mock::platform().with_dialect(*dialect);
        for kind in ErrorKind::ALL {
            let error = Error::new(*kind);
            mock.push(Step::of_kind(*kind).with_header("retry-after-ms", "7")).unwrap();
            // Without a credential, since what is asked for comes before any check.
            let mut request = chat(&hello());
            request.headers_mut().remove("authorization");
            let answer = ask(&mock, request).await;
            let expected = (dialect.status(&error), dialect.body(&error));
            assert_eq!((answer.status.as_u16(), answer.body.to_vec()), expected, "{kind}");
            assert_eq!(answer.headers["x-kimi-error"], kind.name());
            assert_eq!(answer.headers["retry-after-ms"], "7");

            mock.push(Step::ok().with_sse_error_of_kind(1, *kind)).unwrap();
            let answer = ask(&mock, chat(&streamed())).await;
            let frame = String::from_utf8(dialect.sse_frame(&error)).unwrap();
            let stream = String::from_utf8(answer.body.to_vec()).unwrap();
            let (before, last) = stream.split_at(stream.len() - frame.len());
            assert_eq!((answer.status.as_u16(), last), (200, frame.as_str()), "{kind}");
            assert!(before.contains(r#""role":"assistant""#), "{before}");
            assert_eq!(before.matches("\n\n").count(), 1, "{before}");
        }
    }
}
