//! Good answers are known as such, at once.

use kimi_errors::{ErrorKind, decode_body, decode_event};

const GOOD: &[&str] = &[
    "",
    "pong",
    "OK",
    "<html><title>Kimi</title></html>",
    "<title>Welcome 404 ways</title>",
    "<title>The 500 best of 2025</title>",
    "<title>Terror 404</title>",
    "<title>Area 51 4044</title>",
    "{}",
    "[]",
    "null",
    "\"hello\"",
    "\"{\\\"choices\\\":[]}\"",
    r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"kimi-k3","choices":[{"message":{"content":"error"}}]}"#,
    r#"{"id":"cnn","model":"kimi","object":"chat.completion","choices":[],"segment_id":"","created":1}"#,
    r#"{"object":"list","data":[{"id":"kimi-k3","object":"model"}]}"#,
    r#"{"errcode":0,"data":{"token":"t"}}"#,
    r#"{"errcode":0,"errmsg":"OK","data":null}"#,
    r#"{"code":0,"message":"OK","data":null}"#,
    r#"{"code":0,"data":{"total_tokens":80},"scode":"0x0","status":true}"#,
    r#"{"code":0,"msg":"success","data":{},"request_id":"01JZX4A6E7M8V0R3Q0N2K2M5Q9"}"#,
    r#"{"error":null,"choices":[]}"#,
    r#"{"error":"","choices":[]}"#,
    r#"{"error":{},"choices":[]}"#,
    r#"{"error":{"code":0,"message":""},"choices":[]}"#,
    r#"{"error":{"code":"ok","message":"fine"}}"#,
    r#"{"error":"none"}"#,
    r#"{"error":"ok","result":1}"#,
    r#"{"error":"false"}"#,
    r#"{"error":false}"#,
    r#"{"error":{}}"#,
    r#"{"error_type":"none"}"#,
    r#"{"error_type":"","message":"x"}"#,
    r#"{"base_resp":{"status_code":0,"status_msg":"success"},"data":{}}"#,
    r#"{"code":"SUMMER","discount":10}"#,
    r#"{"code":"ok","message":"success","data":{"total":1}}"#,
    r#"{"code":"0000","message":"OK"}"#,
    r#"{"code":200,"msg":"success"}"#,
    r#"{"code":200,"msg":"success","request_id":"01JZX4A6E7M8V0R3Q0N2K2M5Q9"}"#,
    r#"{"code":"unknown","message":"a country","data":1}"#,
    r#"{"code":"internal","message":"an audience","details":"none"}"#,
    r#"{"code":"not_found","message":"a page's name","slug":"missing"}"#,
    r#"{"errcode":0.0,"errmsg":"OK","data":1}"#,
    r#"{"errcode":"0","errmsg":"OK"}"#,
    r#"{"errcode":200,"errmsg":"OK"}"#,
    r#"{"errcode":"ok","errmsg":"OK"}"#,
    r#"{"code":7,"message":"seven"}"#,
    r#"{"code":-1,"name":"n"}"#,
    r#"{"access_token":"…","refresh_token":"…"}"#,
    r#"{"message":"hello"}"#,
    r#"{"live":true}"#,
    r#"{"type":"message","role":"assistant","content":[]}"#,
    r#"{"usage":{"used":"10","limit":"100"},"limits":[]}"#,
    r#"[{"id":1,"message":"x"}]"#,
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[]}\n\n",
    "data: [DONE]\n\n",
    ": hb\n\n",
    "event: message\ndata: {\"message\":\"x\"}\n\n",
    "\0\0\0\0\x10{\"heartbeat\":{}}\x02\0\0\0\x02{}",
    "\0\0\0\0\x10{\"heartbeat\":{}}",
    "{\"choices\":",
    "{\"err",
];

const CHUNKS: &[&str] = &[
    "[DONE]",
    "",
    "hello",
    r#"{"id":"c","object":"chat.completion.chunk","choices":[{"delta":{"content":"{\"error\":1}"}}]}"#,
    r#"{"event":"req","id":"1"}"#,
    r#"{"event":"cmpl","idx_s":0,"text":"error","view":"cmpl"}"#,
    r#"{"event":"search_plus","msg":{"type":"get_res","title":"t","url":"u"}}"#,
    r#"{"event":"done"}"#,
    r#"{"event":"all_done"}"#,
    r#"{"type":"message_start","message":{"id":"m"}}"#,
    r#"{"type":"content_block_delta","delta":{"text":"x"}}"#,
    r#"{"type":"ping"}"#,
    r#"{"heartbeat":{}}"#,
    r#"{"usage":{"total_tokens":1},"choices":[]}"#,
];

#[test]
fn a_good_answer_is_none() {
    for body in GOOD {
        let error = decode_body(Some(200), body.as_bytes());
        assert!(error.is_none(), "{body}: {error:?}");
    }
    for status in [100, 204, 301, 304] {
        assert!(decode_body(Some(status), b"").is_none());
    }
}

#[test]
fn an_ordinary_event_is_none() {
    for data in CHUNKS {
        let error = decode_event(data.as_bytes());
        assert!(error.is_none(), "{data}: {error:?}");
    }
}

#[test]
fn a_bad_status_is_never_a_success_whatever_the_body() {
    for body in GOOD {
        assert!(decode_body(Some(500), body.as_bytes()).is_some(), "{body}");
    }
}

#[test]
fn an_error_behind_the_object_of_a_chunk_is_seen() {
    let chunk = br#"{"id":"c","object":"chat.completion.chunk","error":{"message":"x","type":"server_error"},"choices":[]}"#;
    assert_eq!(decode_event(chunk).unwrap().kind(), ErrorKind::System);
}

#[test]
fn a_megabyte_of_success_is_known_by_its_first_bytes() {
    let head = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"kimi-k3","choices":[{"index":0,"message":{"role":"assistant","content":""#;
    assert!(head.len() < 512);
    let poisons: [&[u8]; 4] = [
        b"\"}}],\"error\":{\"type\":\"server_error\",\"message\":\"x\"},\"errcode\":-2002,",
        b"\xff\xfe\0",
        "[内容由于不合规被停止生成，我们换个话题吧]\"".as_bytes(),
        b"}}}}]]]]<html><title>502</title>",
    ];
    for poison in poisons {
        let mut body = head.as_bytes().to_vec();
        body.resize(512, b'a');
        while body.len() < 1 << 20 {
            body.extend_from_slice(poison);
        }
        assert!(decode_body(Some(200), &body).is_none());
    }
}

#[test]
fn a_content_stop_is_seen_only_where_it_ends_a_text() {
    const STOP: &str = "[内容由于不合规被停止生成，我们换个话题吧]";
    let chunk = |text: &str| format!(r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}"#);
    let stopped = |data: &str| decode_event(data.as_bytes()).map(|error| error.kind());
    assert_eq!(stopped(&chunk(&format!("\\n{STOP}"))), Some(ErrorKind::ContentFiltered));
    assert_eq!(stopped(&chunk(&format!("它会说{STOP}，仅此而已"))), None);
    let escaped: String =
        STOP.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    let escaped = escaped.replace("\\u005b", "[").replace("\\u005d", "]");
    assert_eq!(stopped(&chunk(&escaped)), Some(ErrorKind::ContentFiltered));
}
