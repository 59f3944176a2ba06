//! Scripts: their forms, their order, and how a request asks for a step of its own.

use http::StatusCode;
use kimi_testkit::script::{Fault, Garbage, Repeat, Script, Step, Usage, When};
use serde_json::json;

use super::{Mock, ask, chat, hello, post, streamed, with_key};

/// Every field there is, in the builder's form.
fn everything() -> Vec<Step> {
    let when = When::any()
        .with_path("/v1/chat/completions")
        .with_method("POST")
        .with_model("kimi-k3")
        .with_conversation("c1")
        .with_stream(true);
    let millis = std::time::Duration::from_millis;
    vec![
        Step::fault("plat.overloaded").with_when(when).with_repeat(2).with_endless(),
        Step::raw(502, "text/html", "<html>").with_header("retry-after", "1").with_cut_at(3),
        Step::raw(200, "image/png", [0xff, 0xd8]).with_content_length(9),
        Step::ok()
            .with_content("你好")
            .with_chunks(2)
            .with_usage(Usage::new(8, 2))
            .with_finish_reason("length")
            .with_head_delay(millis(10))
            .with_chunk_delay(millis(20))
            .with_split(7)
            .with_sse_error(1, "plat.server_error"),
        Step::ok().with_raw_sse_error(0, "event: error\n\n"),
        Step::ok().with_reset_at(5).with_garbage(Garbage::new(64).with_seed(7)),
        Step::ok().without_done().with_repeat(Repeat::Forever),
    ]
}

const JSON: &str = r#"{"steps": [
    {
        "when": {"path": "/v1/chat/completions", "method": "POST", "model": "kimi-k3",
                 "conversation": "c1", "stream": true},
        "repeat": 2, "fault": "plat.overloaded", "endless": true
    },
    {
        "raw": {"status": 502, "headers": {"content-type": "text/html"}, "body": "<html>"},
        "headers": {"retry-after": "1"}, "cut_at": 3
    },
    {
        "raw": {"status": 200, "headers": {"content-type": "image/png"}, "body_base64": "/9g="},
        "content_length": 9
    },
    {
        "ok": {"content": "你好", "chunks": 2, "finish_reason": "length",
               "usage": {"prompt_tokens": 8, "completion_tokens": 2}},
        "delay_head_ms": 10, "delay_chunk_ms": 20, "split": 7,
        "sse_error": {"after_chunks": 1, "fault": "plat.server_error"}
    },
    {"sse_error": {"raw": "event: error\n\n"}},
    {"reset_at": 5, "garbage": {"bytes": 64, "seed": 7}},
    {"no_done": true, "repeat": "forever"}
]}"#;

const TOML: &str = r#"
[[steps]]
when = { path = "/v1/chat/completions", method = "POST", model = "kimi-k3", conversation = "c1", stream = true }
repeat = 2
fault = "plat.overloaded"
endless = true

[[steps]]
raw = { status = 502, headers = { content-type = "text/html" }, body = "<html>" }
headers = { retry-after = "1" }
cut_at = 3

[[steps]]
raw = { status = 200, headers = { content-type = "image/png" }, body_base64 = "/9g=" }
content_length = 9

[[steps]]
ok = { content = "你好", chunks = 2, finish_reason = "length", usage = { prompt_tokens = 8, completion_tokens = 2 } }
delay_head_ms = 10
delay_chunk_ms = 20
split = 7
sse_error = { after_chunks = 1, fault = "plat.server_error" }

[[steps]]
sse_error = { raw = "event: error\n\n" }

[[steps]]
reset_at = 5
garbage = { bytes = 64, seed = 7 }

[[steps]]
no_done = true
repeat = "forever"
"#;

#[test]
fn json_toml_and_rust_say_the_same() {
    let rust = Script::try_new(everything()).unwrap();
    assert_eq!(Script::from_json(JSON).unwrap(), rust);
    assert_eq!(Script::from_toml(TOML).unwrap(), rust);
}

#[test]
fn a_script_is_read_back_from_what_it_is_written_as() {
    let script = Script::try_new(everything()).unwrap();
    let json = serde_json::to_string(&script).unwrap();
    assert_eq!(Script::from_json(&json).unwrap(), script);
    assert_eq!(serde_json::from_str::<Script>(&json).unwrap(), script);
    // What is default is not written.
    assert_eq!(serde_json::to_string(&Step::ok()).unwrap(), "{}");
}

#[tokio::test]
async fn each_request_takes_the_first_step_that_it_matches() {
    let steps = [
        Step::raw(501, "text/plain", "stream").with_when(When::any().with_stream(true)),
        Step::raw(502, "text/plain", "model").with_when(When::any().with_model("kimi-k2.6")),
        Step::raw(503, "text/plain", "any").with_repeat(2),
        Step::raw(504, "text/plain", "path").with_when(When::any().with_path("/ping")),
        Step::raw(505, "text/plain", "method").with_when(When::any().with_method("GET")),
    ];
    let mock = Mock::platform().with_script(Script::try_new(steps).unwrap());
    let get = |path: &str| with_key(http::Request::get(path)).body("".into()).unwrap();
    let mut other_model = hello();
    other_model["model"] = json!("kimi-k2.6");

    assert_eq!(ask(&mock, chat(&hello())).await.status, 503);
    assert_eq!(ask(&mock, chat(&other_model)).await.status, 502);
    assert_eq!(ask(&mock, chat(&other_model)).await.status, 503);
    assert_eq!(ask(&mock, chat(&hello())).await.status, 200);
    assert_eq!(ask(&mock, get("/v1/models")).await.status, 505);
    assert_eq!(ask(&mock, get("/ping")).await.status, 504);
    assert_eq!(ask(&mock, get("/ping")).await.status, 200);
    assert_eq!(mock.pending_steps().len(), 1);
    assert_eq!(ask(&mock, chat(&streamed())).await.status, 501);
    assert!(mock.pending_steps().is_empty());
}

#[tokio::test]
async fn a_step_may_answer_forever_and_a_script_may_grow() {
    let mock = Mock::platform();
    mock.push(Step::raw(502, "text/plain", "").with_repeat(2)).unwrap();
    mock.push(Step::raw(503, "text/plain", "").with_repeat(Repeat::Forever)).unwrap();

    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(ask(&mock, chat(&hello())).await.status.as_u16());
    }

    assert_eq!(statuses, [502, 502, 503, 503, 503]);
    assert!(mock.push(Step::fault("plat.no_such")).is_err());
    assert_eq!(mock.pending_steps().len(), 1);
}

#[tokio::test]
async fn a_step_about_streams_waits_for_one() {
    let mock = Mock::platform();
    mock.push(Step::ok().without_done()).unwrap();

    assert_eq!(ask(&mock, chat(&hello())).await.status, 200);
    assert_eq!(mock.pending_steps().len(), 1);
    assert!(!ask(&mock, chat(&streamed())).await.text().contains("[DONE]"));
    assert!(mock.pending_steps().is_empty());
}

#[tokio::test]
async fn the_head_of_a_request_overrides_the_script_and_uses_up_none_of_it() {
    let mock = Mock::platform();
    mock.push(Step::bad_gateway_html()).unwrap();
    let with = |name, value: &str| {
        let mut request = chat(&streamed());
        request.headers_mut().insert(name, http::HeaderValue::from_str(value).unwrap());
        request
    };

    let fault = ask(&mock, with("x-mock-fault", "plat.quota_balance")).await;
    assert_eq!(fault.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(fault.json()["error"]["type"], "exceeded_current_quota_error");

    let json = r#"{"sse_error": {"after_chunks": 1, "fault": "errcode.system"}}"#;
    let step = ask(&mock, with("x-mock-step", json)).await;
    assert_eq!(step.status, StatusCode::OK);
    assert_eq!(step.events()[1]["errcode"], -1000);

    let json = json!({"ok": {"content": "你好"}}).to_string();
    let chinese = ask(&mock, with("x-mock-step", &json)).await;
    assert!(chinese.text().contains("你"));

    assert_eq!(mock.pending_steps().len(), 1);
    assert_eq!(ask(&mock, chat(&hello())).await.status, 502);
}

#[tokio::test]
async fn a_wrong_step_in_the_head_is_told_to_the_client() {
    let mock = Mock::platform();
    let asks = [
        ("x-mock-fault", "plat.no_such", "steps[0].fault: no fault has the id `plat.no_such`"),
        ("x-mock-step", r#"{"cut_at":1,"reset_at":1}"#, "steps[0].reset_at: excludes `cut_at`"),
        ("x-mock-step", r#"{"fautl":1}"#, "unknown field `fautl`"),
        ("x-mock-step", r#"{"no_done":true}"#, "needs a chat request"),
    ];
    for (name, value, reason) in asks {
        let mut request = chat(&hello());
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = ask(&mock, request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["errcode"], -1001);
        let message = answer.json()["errmsg"].as_str().unwrap().to_owned();
        assert!(message.starts_with(name) && message.contains(reason), "{message}");
    }
}

#[tokio::test]
async fn a_fault_is_answered_whatever_else_is_wrong() {
    let mock = Mock::platform();
    mock.push(Step::fault("errcode.file_size")).unwrap();
    let mut request = post("/no/such/route", &json!("no object"));
    request.headers_mut().remove("authorization");

    let answer = ask(&mock, request).await;

    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.text(), r#"{"data":null,"errcode":-2004,"errmsg":"远程文件超出大小"}"#);
}

#[test]
fn faults_are_found_by_id() {
    assert!(Fault::all().len() >= 173);
    assert_eq!(Fault::find("plat.overloaded").unwrap().category(), "overloaded");
    assert!(Fault::find("plat").is_none());
}

#[test]
fn the_sample_script_is_one() {
    let script = Script::from_toml(include_str!("../../../../examples/scripts/storm.toml"));
    assert_eq!(script.unwrap().steps().len(), 6);
}
