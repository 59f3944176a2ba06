//! Forms that no entry of the facts has: what proxies, frameworks and gateways make of an error.

use kimi_errors::{
    DECODE_LIMIT, Envelope, ErrorKind, RetryAdvice, decode_body, decode_event, errcode,
};

fn kind(status: u16, body: &str) -> Option<ErrorKind> {
    decode_body(Some(status), body.as_bytes()).map(|error| error.kind())
}

#[test]
fn every_form_is_understood() {
    use ErrorKind::*;
    let cases: &[(u16, &str, ErrorKind)] = &[
        // Pages of proxies: the title goes before the status.
        (
            502,
            "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
            BadGateway,
        ),
        (200, "<!DOCTYPE html><TITLE>Error 504: Gateway Time-out</TITLE>", Timeout),
        (500, "<html><title>kimi.com | 503: Service unavailable</title>", Unavailable),
        (200, "<title>502 Bad Gateway</title>", BadGateway),
        (200, "<title>504 Gateway Time-out</title>", Timeout),
        (200, "<title>example.com | 522: Connection timed out</title>", Timeout),
        (200, "<title>Error 403 (Forbidden)!!1</title>", PermissionDenied),
        (200, "<title>HTTP Status 404 – Not Found</title>", RouteNotFound),
        (503, "<html><body>no title</body></html>", Unavailable),
        (413, "\r\n<html><head><title>413 Request Entity Too Large</title>", PayloadTooLarge),
        (403, "<html><title>Just a moment...</title>", PermissionDenied),
        // No body: the status alone.
        (400, "", Validation),
        (401, "", TokenExpired),
        (402, "", QuotaExhausted),
        (403, "", PermissionDenied),
        (404, " \n", RouteNotFound),
        (405, "", MethodNotAllowed),
        (408, "", Timeout),
        (409, "", Conflict),
        (410, "", NotFound),
        (413, "", PayloadTooLarge),
        (415, "", UnsupportedMediaType),
        (418, "", Validation),
        (422, "", Unprocessable),
        (429, "", RateLimited),
        (499, "", Cancelled),
        (500, "", System),
        (501, "", NotImplemented),
        (502, "", BadGateway),
        (503, "", Unavailable),
        (504, "", Timeout),
        (522, "", Timeout),
        (529, "", Overloaded),
        (527, "", BadGateway),
        (598, "", Timeout),
        (599, "", Timeout),
        // Lines of text: axum, nginx, Go, Envoy, Rails.
        (404, "404 page not found\n", RouteNotFound),
        (405, "Method Not Allowed", MethodNotAllowed),
        (400, "Failed to parse the request body as JSON: EOF while parsing", Validation),
        (422, "Failed to deserialize the JSON body into the target type", Unprocessable),
        (415, "Expected request with `Content-Type: application/json`", UnsupportedMediaType),
        (413, "Failed to buffer the request body: length limit exceeded", PayloadTooLarge),
        (400, "http: request body too large", PayloadTooLarge),
        (503, "upstream connect error or disconnect/reset before headers", BadGateway),
        (503, "no healthy upstream", Unavailable),
        (500, "upstream request timeout", Timeout),
        (500, "You exceeded your current token quota", QuotaExhausted),
        (500, "\u{0}\u{1}\u{fffd}", System),
        // A stranger's log line blames the stranger, but in a 400 it describes the request.
        (500, r#"{"error":{"message":"unavailable: 503"}}"#, Unavailable),
        (400, r#"{"error":{"message":"unavailable: 503"}}"#, Validation),
        // Quoted, twice quoted, marked, padded, in an array.
        (200, r#""{\"errcode\":-2002,\"errmsg\":\"x\"}""#, TokenExpired),
        (200, r#""\"{\\\"errcode\\\":-2002}\"""#, TokenExpired),
        (200, "\u{feff}\n {\"errcode\":-2002}", TokenExpired),
        (
            200,
            r#"[{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}]"#,
            RateLimited,
        ),
        // One body inside another's message.
        (
            500,
            r#"{"error":{"message":"{\"error\":{\"type\":\"engine_overloaded_error\",\"message\":\"x\"}}","type":"one_api_error"}}"#,
            Overloaded,
        ),
        // The first event of a stream.
        (200, "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n", System),
        (200, "data:{\"error\":{\"type\":\"server_error\"}}\r\n\r\ndata: [DONE]\r\n\r\n", System),
        (200, ": hb\n\nevent: error\ndata: {\"message\":\"Unsaid\"}\n\n", RequestFailed),
        (200, "event: error\ndata: it broke\n\n", RequestFailed),
        (
            200,
            "event: error\rdata: {\"errcode\":\rdata: -2005}\r\rdata: {\"errcode\":-2002}\r\r",
            StreamBusy,
        ),
        (200, "id: 1\nretry: 5\ndata: {\"errcode\":\ndata: -2005}\n\n", StreamBusy),
        (503, "data: [DONE]\n\n", Unavailable),
        // Kimi's gateway and account API.
        (200, r#"{"code":5,"scode":"0x5","status":false,"message":"x"}"#, NotFound),
        (200, r#"{"code":16,"scode":"0x10","status":false}"#, TokenExpired),
        // Connect, in the shape of its unary errors and of its last frame.
        (200, r#"{"code":"unavailable","message":"x"}"#, Unavailable),
        (200, "\u{2}\u{0}\u{0}\u{0}\u{27}{\"error\":{\"code\":\"deadline_exceeded\"}}", Timeout),
        (500, r#"{"code":"data_loss"}"#, System),
        // A word for any failure yields to a status that says what failed.
        (
            503,
            r#"{"error":{"message":"The server is overloaded or not ready yet","type":"server_error"}}"#,
            Unavailable,
        ),
        (502, r#"{"error":{"message":"x","type":"api_error"}}"#, BadGateway),
        (504, r#"{"error":{"message":"x","type":"server_error"}}"#, Timeout),
        (529, r#"{"error":{"message":"x","type":"api_error"}}"#, Overloaded),
        (501, r#"{"error":{"message":"x","type":"server_error"}}"#, System),
        (200, r#"{"error":true,"message":"it broke"}"#, RequestFailed),
        // Anthropic, OpenAI, vLLM, one-api, FastAPI.
        (529, r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#, Overloaded),
        (
            429,
            r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
            QuotaExhausted,
        ),
        (404, r#"{"error":{"type":"invalid_request_error","code":"model_not_found"}}"#, NotFound),
        (405, r#"{"error":{"type":"invalid_request_error","message":"x"}}"#, MethodNotAllowed),
        (
            500,
            r#"{"error":{"type":"invalid_request_error","message":"unexpected EOF"}}"#,
            ParamsInvalid,
        ),
        (
            200,
            r#"{"object":"error","message":"x","type":"NotFoundError","code":404}"#,
            RouteNotFound,
        ),
        (200, r#"{"success":false,"message":"Rate limit exceeded"}"#, RateLimited),
        (500, r#"{"msg":"The engine is currently overloaded"}"#, Overloaded),
        (500, r#"{"err":"The engine is currently overloaded"}"#, Overloaded),
        (500, r#"{"error_msg":"The engine is currently overloaded"}"#, Overloaded),
        (404, r#"{"detail":"Not Found"}"#, RouteNotFound),
        (500, r#"{"error":"Something went wrong"}"#, System),
        (200, r#"{"error":"Something went wrong"}"#, RequestFailed),
        (401, r#"{"error":"invalid_token"}"#, TokenExpired),
        (404, r#"{"code":-1,"error":{"type":"content_filter"}}"#, ContentFiltered),
        // The article's codes, told apart by status or text where several kinds share one.
        (503, r#"{"errcode":-2001,"errmsg":"x"}"#, Unavailable),
        (413, r#"{"errcode":-1001,"errmsg":"x"}"#, PayloadTooLarge),
        (200, r#"{"errcode":-2001,"errmsg":"额度已用尽，请检查账户余额"}"#, QuotaExhausted),
        (200, r#"{"errcode":-2006,"errmsg":"额度已用尽，请检查账户余额"}"#, QuotaExhausted),
        (200, r#"{"errcode":"-2002"}"#, TokenExpired),
        (200, r#"{"errcode":-99999999999}"#, RequestFailed),
        (
            200,
            r#"{"errcode":-2001,"errmsg":"account is suspended due to insufficient balance"}"#,
            QuotaExhausted,
        ),
        (
            200,
            r#"{"code":-2001,"message":"[请求kimi失败]: 找不到指定的会话","data":null}"#,
            NotFound,
        ),
    ];
    for (status, body, expected) in cases {
        assert_eq!(kind(*status, body), Some(*expected), "{status} {body}");
    }
}

#[test]
fn a_body_that_was_cut_still_says_what_stands_before_the_cut() {
    let body = r#"{"errcode":-2002,"errmsg":"Token已失效","data":{"a":[1,2,3]}}"#;
    for end in r#"{"errcode":-2002,"#.len()..body.len() {
        let error = decode_body(Some(200), &body.as_bytes()[..end]).unwrap();
        assert_eq!(error.kind(), ErrorKind::TokenExpired, "{end}");
    }
    let long = format!(
        r#"{{"error":{{"type":"engine_overloaded_error","message":"{}"#,
        "long ".repeat(1 << 15)
    );
    let error = decode_body(Some(200), long.as_bytes()).unwrap();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(error.message().starts_with("long long"));
}

#[test]
fn what_stands_behind_the_limit_changes_nothing() {
    let body = format!("{}{}", " ".repeat(DECODE_LIMIT), r#"{"errcode":-2002}"#);
    assert!(decode_body(Some(200), body.as_bytes()).is_none());
    let body = format!("{}{}", " ".repeat(DECODE_LIMIT - 20), r#"{"errcode":-2002}"#);
    assert_eq!(kind(200, &body), Some(ErrorKind::TokenExpired));
}

#[test]
fn nested_deeper_than_any_stack_is_still_only_text() {
    for open in ["[", "{\"a\":", "\"", "{\"error\":"] {
        let body = open.repeat(1 << 20);
        assert!(decode_body(Some(500), body.as_bytes()).is_some());
        let _ = decode_body(Some(200), body.as_bytes());
        let _ = decode_event(body.as_bytes());
    }
}

#[test]
fn a_message_for_people_is_kept_and_a_page_is_not() {
    let shown = |body: &str| decode_body(Some(500), body.as_bytes()).unwrap().message().to_owned();
    let own = ErrorKind::System.message(kimi_errors::Lang::Zh);
    assert_eq!(
        shown(r#"{"error":{"message":"模型开小差了","type":"server_error"}}"#),
        "模型开小差了"
    );
    assert_eq!(shown("<html><body>secret</body></html>"), own);
    assert_eq!(shown("panicked at src/main.rs:7"), own);
    assert_eq!(shown(r#"{"error":{"message":"<html>secret</html>"}}"#), own);
    assert_eq!(shown(r#"{"error":{"message":"{\"secret\":1}"}}"#), own);
    assert_eq!(shown(r#"{"error":{"message":"  "}}"#), own);
    assert_eq!(shown(r#"{"error":{"message":"failed to connect to `user=x database=y`"}}"#), own);
}

#[test]
fn words_are_received_as_they_stand_if_they_are_words() {
    let error = decode_body(
        Some(429),
        br#"{"error":{"message":"m","type":"rate_limit_reached_error","code":1302,"param":"model"}}"#,
    );
    let error = error.unwrap();
    let received = error.received().unwrap();
    assert_eq!(received.status, Some(429));
    assert_eq!(received.code.as_deref(), Some("1302"));
    assert_eq!(received.error_type.as_deref(), Some("rate_limit_reached_error"));
    assert_eq!(error.param(), Some("model"));

    let long = "x".repeat(65);
    for word in [long.as_str(), "two words", "line\\nbreak", ""] {
        let body = format!(r#"{{"error":{{"message":"m","type":"{word}","code":"{word}"}}}}"#);
        let error = decode_body(Some(500), body.as_bytes()).unwrap();
        let received = error.received().unwrap();
        assert_eq!((&received.code, &received.error_type), (&None, &None), "{word}");
    }
}

#[test]
fn an_errcode_that_nobody_knows_is_kept() {
    let error = decode_body(Some(200), r#"{"code":-2007,"message":"图像生成失败"}"#.as_bytes());
    let error = error.unwrap();
    assert_eq!((error.kind(), error.errcode()), (ErrorKind::RequestFailed, -2007));
    let error = decode_body(Some(403), br#"{"errcode":-3333,"errmsg":"no"}"#).unwrap();
    assert_eq!((error.kind(), error.errcode()), (ErrorKind::PermissionDenied, -3333));
}

#[test]
fn a_code_whose_text_says_more_is_answered_with_the_code_that_helps() {
    // kimi-free-api hides a dead token in a -2001, which the article's clients would retry.
    let error =
        decode_body(Some(200), r#"{"code":-2001,"message":"请求失败"}"#.as_bytes()).unwrap();
    assert_eq!(
        (error.kind(), error.errcode()),
        (ErrorKind::TokenExpired, errcode::API_TOKEN_EXPIRES)
    );
    assert_eq!(error.received().unwrap().code.as_deref(), Some("-2001"));
}

#[test]
fn an_envelope_opens_by_the_same_rules() {
    let open = |json: &str| {
        let envelope: Envelope<u8> = serde_json::from_str(json).unwrap();
        envelope.into_result().unwrap_err()
    };
    assert_eq!(open(r#"{"errcode":-2005,"errmsg":"x"}"#).kind(), ErrorKind::StreamBusy);
    let error = open(
        r#"{"errcode":-2001,"errmsg":"request reached max RPM: 3, please try again after 2 seconds"}"#,
    );
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(2)));
    assert_eq!(open(r#"{"errcode":-4444,"errmsg":"x"}"#).errcode(), -4444);
}

#[test]
fn an_error_never_says_that_all_is_well() {
    let error = decode_body(Some(500), br#"{"errcode":0,"errmsg":"OK"}"#).unwrap();
    assert_eq!((error.kind(), error.errcode()), (ErrorKind::System, errcode::SYSTEM_ERROR));
}

#[test]
fn a_status_that_clients_try_again_is_tried_again() {
    // The union of the official clients and both OpenAI SDKs; 425 by its definition.
    for status in [408, 409, 425, 429, 500, 502, 503, 504, 522, 529] {
        let advice = decode_body(Some(status), b"").unwrap().advice();
        assert_eq!(advice, RetryAdvice::BACKOFF, "{status}");
    }
    for status in [400, 402, 403, 404, 405, 410, 413, 415, 422, 451, 499, 501] {
        let advice = decode_body(Some(status), b"").unwrap().advice();
        assert_eq!(advice, RetryAdvice::NEVER, "{status}");
    }
}

#[test]
fn a_used_up_balance_never_says_retry_in_any_words() {
    let texts = [
        "账户已欠费",
        "额度已用尽",
        "用户额度不足",
        "余额不足或无可用资源包",
        "账户余额已用尽",
        "请充值后重试",
        "Your credit balance is too low to access the API",
        "your account has an overdue balance",
        "Insufficient Balance",
    ];
    for text in texts {
        for status in [200, 400, 402, 403, 429, 500, 503] {
            let body = format!(r#"{{"error":{{"message":"{text}","type":"api_error"}}}}"#);
            let error = decode_body(Some(status), body.as_bytes()).unwrap();
            let is = (error.kind(), error.advice());
            assert_eq!(is, (ErrorKind::QuotaExhausted, RetryAdvice::NEVER), "{status} {text}");
        }
    }
    let words = [
        "insufficient_user_quota",
        "AccountOverdueError",
        "billing_hard_limit_reached",
        "Arrearage",
    ];
    for word in words {
        let nested = format!(r#"{{"error":{{"code":"{word}","message":"x"}}}}"#);
        assert_eq!(kind(429, &nested), Some(ErrorKind::QuotaExhausted), "{word}");
        assert_eq!(kind(429, &format!(r#"{{"code":"{word}"}}"#)), Some(ErrorKind::QuotaExhausted));
    }
}

#[test]
fn waits_of_the_rules_are_kept() {
    let after = |body: &str| decode_body(Some(500), body.as_bytes()).unwrap().advice();
    let secs = |secs| RetryAdvice::Backoff { after: Some(std::time::Duration::from_secs(secs)) };
    assert_eq!(after(r#"{"error":{"message":"x (SQLSTATE 57P03)"}}"#), secs(60));
    assert_eq!(after(r#"{"error":"slow_down","error_description":"x"}"#), secs(5));
    let google =
        r#"{"error":{"code":429,"message":"x","details":[{"@type":"a"} , {"retryDelay":"33s"}]}}"#;
    assert_eq!(after(google), secs(33));
    let unreadable = r#"{"error":{"code":429,"message":"x","details":[1,{"retryDelay":"33s"}]}}"#;
    assert_eq!(after(unreadable), RetryAdvice::BACKOFF);
}
