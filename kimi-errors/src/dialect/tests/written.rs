#[cfg(feature = "http")]
use std::time::Duration;

use serde_json::{Value, json};

use crate::{Dialect, Error, ErrorKind, errcode};

fn text(dialect: Dialect, error: &Error) -> String {
    String::from_utf8(dialect.body(error)).unwrap()
}

#[test]
fn writes_each_errcode_of_the_article_to_the_letter() {
    let expected = [
        (
            ErrorKind::System,
            500,
            r#"{"errcode":-1000,"errmsg":"系统异常，请稍后重试","data":null}"#,
        ),
        (
            ErrorKind::Validation,
            400,
            r#"{"errcode":-1001,"errmsg":"请求参数校验错误","data":null}"#,
        ),
        (ErrorKind::RouteNotFound, 404, r#"{"errcode":-1002,"errmsg":"无匹配的路由","data":null}"#),
        (ErrorKind::RequestFailed, 500, r#"{"errcode":-2001,"errmsg":"请求失败","data":null}"#),
        (ErrorKind::TokenExpired, 401, r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#),
        (
            ErrorKind::FileUrlInvalid,
            400,
            r#"{"errcode":-2003,"errmsg":"远程文件URL非法","data":null}"#,
        ),
        (
            ErrorKind::FileTooLarge,
            413,
            r#"{"errcode":-2004,"errmsg":"远程文件超出大小","data":null}"#,
        ),
        (
            ErrorKind::StreamBusy,
            429,
            r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#,
        ),
    ];
    for (kind, status, body) in expected {
        let error = Error::new(kind);
        assert_eq!(text(Dialect::Errcode, &error), body);
        assert_eq!(Dialect::Errcode.status(&error), status);
        assert_eq!(Dialect::FreeApi.status(&error), 200);
    }
}

#[test]
fn writes_each_dialect_with_its_own_keys_in_their_order() {
    let error = Error::new(ErrorKind::TokenExpired);
    assert_eq!(
        text(Dialect::FreeApi, &error),
        r#"{"code":-2002,"message":"Token已失效","data":null}"#
    );
    let object = r#"{"message":"Token已失效","type":"invalid_authentication_error","param":null,"code":"token_expired"}"#;
    assert_eq!(text(Dialect::OpenAi, &error), format!(r#"{{"error":{object}}}"#));
    assert_eq!(
        text(Dialect::Compat, &error),
        format!(r#"{{"errcode":-2002,"errmsg":"Token已失效","data":null,"error":{object}}}"#)
    );
}

#[test]
fn escapes_what_json_must_escape_and_carries_the_data() {
    let error = Error::new(ErrorKind::Validation)
        .with_message("\"quoted\" \\ 消息")
        .with_data(json!([{"pointer": "/messages/0"}]))
        .with_param("messages");
    for &dialect in Dialect::ALL {
        let body: Value = serde_json::from_slice(&dialect.body(&error)).unwrap();
        let object = body.get("error").unwrap_or(&body);
        let message = object.get("message").or(body.get("errmsg"));
        assert_eq!(message, Some(&json!("\"quoted\" \\ 消息")), "{dialect}");
        if dialect != Dialect::OpenAi {
            assert_eq!(body["data"][0]["pointer"], "/messages/0", "{dialect}");
        }
    }
}

#[test]
fn puts_an_error_object_in_every_frame_with_what_no_head_can_carry() {
    let error = Error::new(ErrorKind::RequestFailed).with_errcode(-2007).with_request_id("req-1");
    for &dialect in Dialect::ALL {
        let frame = String::from_utf8(dialect.sse_frame(&error)).unwrap();
        let data = frame.strip_prefix("data: ").and_then(|data| data.strip_suffix("\n\n")).unwrap();
        assert!(!data.contains('\n'), "{dialect}: one event, one line");
        let body: Value = serde_json::from_str(data).unwrap();
        assert_eq!(body["error"]["message"], "请求失败", "{dialect}");
        assert_eq!(body["error"]["request_id"], "req-1", "{dialect}");
        assert_eq!(body["error"]["errcode"], -2007, "{dialect}");
    }
}

#[test]
fn every_kind_answers_with_a_code_of_the_article_and_an_error_status() {
    for &kind in ErrorKind::ALL {
        assert!(errcode::name(kind.errcode()).is_some(), "{kind}");
        assert_eq!(errcode::name(kind.errcode()), Some(kind.constant()), "{kind}");
        assert!((400..=599).contains(&kind.status()), "{kind}");
        assert_eq!(ErrorKind::from_name(kind.name()), Some(kind));
    }
    for &(code, _) in errcode::ALL {
        let owner = ErrorKind::from_errcode(code).unwrap();
        assert_eq!(owner.errcode(), code);
        assert!(owner.owns_errcode());
    }
}

#[test]
fn a_client_of_the_article_does_the_right_thing_with_a_borrowed_errcode() {
    use crate::RetryAdvice;
    for &kind in ErrorKind::ALL {
        let does = match kind.errcode() {
            errcode::SYSTEM_ERROR | errcode::API_REQUEST_FAILED => "backoff",
            errcode::API_TOKEN_EXPIRES => "after_refresh",
            errcode::API_CHAT_STREAM_PUSHING => "after_stream",
            _ => "never",
        };
        // It knows no resets: giving up is right, waiting for hours in a loop is not.
        let should = match kind.advice() {
            RetryAdvice::AfterReset { .. } => "never",
            advice => advice.name(),
        };
        assert_eq!(does, should, "{kind}");
    }
}

#[test]
fn parses_every_name_it_prints_and_no_other() {
    for &dialect in Dialect::ALL {
        assert_eq!(dialect.to_string().parse(), Ok(dialect));
    }
    let error = "xml".parse::<Dialect>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown name, expected one of: errcode, free-api, openai, compat"
    );
}

#[cfg(feature = "http")]
#[test]
fn rounds_the_wait_up_to_whole_seconds_and_never_to_none() {
    let head = |wait: Duration| {
        let error = Error::new(ErrorKind::RateLimited).with_retry_after(wait);
        let headers = Dialect::Errcode.headers(&error);
        let field = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (field("retry-after"), field("retry-after-ms"))
    };
    let owned = |text: &str| Some(text.to_owned());
    assert_eq!(head(Duration::ZERO), (owned("1"), None));
    assert_eq!(head(Duration::from_millis(250)), (owned("1"), owned("250")));
    assert_eq!(head(Duration::from_nanos(1)), (owned("1"), owned("1")));
    assert_eq!(head(Duration::from_secs(20)), (owned("20"), None));
    assert_eq!(head(Duration::from_millis(1001)), (owned("2"), owned("1001")));
    assert_eq!(head(Duration::MAX), (owned(&u64::MAX.to_string()), owned(&u64::MAX.to_string())));
}

#[cfg(feature = "http")]
#[test]
fn tells_the_sdks_not_to_retry_what_they_would_retry_in_vain() {
    let should_retry = |kind: ErrorKind| {
        let headers = Dialect::OpenAi.headers(&Error::new(kind));
        headers.get("x-should-retry").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(should_retry(ErrorKind::QuotaExhausted).as_deref(), Some("false"));
    assert_eq!(should_retry(ErrorKind::UsageLimited).as_deref(), Some("false"));
    assert_eq!(should_retry(ErrorKind::Conflict).as_deref(), Some("false"));
    assert_eq!(should_retry(ErrorKind::RateLimited), None);
    assert_eq!(should_retry(ErrorKind::StreamBusy), None);
    assert_eq!(should_retry(ErrorKind::TokenExpired), None, "no SDK retries a 401");
}

#[cfg(feature = "http")]
#[test]
fn keeps_the_error_in_the_extensions_and_its_own_fields_in_the_head() {
    let allow = http::HeaderValue::from_static("POST");
    let error = Error::new(ErrorKind::MethodNotAllowed).with_header(http::header::ALLOW, allow);
    let response = Dialect::Errcode.response(&error);
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "POST");
    assert_eq!(response.headers()["x-kimi-error"], "method_not_allowed");
    assert_eq!(response.extensions().get::<Error>().unwrap().kind(), ErrorKind::MethodNotAllowed);
}
