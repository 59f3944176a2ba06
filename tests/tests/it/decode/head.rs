//! What the head adds: waits, ids, advice of proxies, fields to keep, and our own mark.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kimi_errors::{Dialect, Error, ErrorKind, Lang, RetryAdvice, decode};

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn platform(status: u16, message: &str, error_type: &str, fields: &[(&str, &str)]) -> Error {
    let body = format!(r#"{{"error":{{"message":"{message}","type":"{error_type}"}}}}"#);
    decode(StatusCode::from_u16(status).unwrap(), &headers(fields), body.as_bytes()).unwrap()
}

const fn backoff(secs: u64) -> RetryAdvice {
    RetryAdvice::Backoff { after: Some(Duration::from_secs(secs)) }
}

#[test]
fn the_four_429s_of_kimi_give_four_advices() {
    const OVERLOADED: (&str, &str) =
        ("The engine is currently overloaded, please try again later", "engine_overloaded_error");
    const RPM: &str = "request reached organization max RPM: 3, please try again after 1 seconds";
    const TPD: &str = "request reached organization TPD rate limit, current: 2, limit: 1";
    const LIMIT: &str = "rate_limit_reached_error";
    const BALANCE: &str = "Your account is suspended due to insufficient balance";

    let advice = |(message, error_type), fields: &[(&str, &str)]| {
        platform(429, message, error_type, fields).advice()
    };
    assert_eq!(advice(OVERLOADED, &[]), RetryAdvice::BACKOFF);
    assert_eq!(advice(OVERLOADED, &[("retry-after", "7")]), backoff(7));
    assert_eq!(advice(OVERLOADED, &[("x-ratelimit-reset", "7")]), RetryAdvice::BACKOFF);
    assert_eq!(advice((RPM, LIMIT), &[]), backoff(1));
    assert_eq!(advice((RPM, LIMIT), &[("retry-after", "9")]), backoff(9));
    assert_eq!(advice((RPM, LIMIT), &[("x-ratelimit-reset-requests", "20ms")]), backoff(1));
    assert_eq!(advice((TPD, LIMIT), &[]), RetryAdvice::AFTER_RESET);
    assert_eq!(advice((BALANCE, "exceeded_current_quota_error"), &[]), RetryAdvice::NEVER);
    assert_eq!(
        advice((BALANCE, "exceeded_current_quota_error"), &[("retry-after", "1")]),
        RetryAdvice::NEVER
    );
}

#[test]
fn a_wait_on_a_quota_becomes_the_time_of_its_reset() {
    const WEEK: &str = "You've reached your weekly (7-day) usage limit.";
    let at = |fields: &[(&str, &str)]| match platform(403, WEEK, "access_terminated_error", fields)
        .advice()
    {
        RetryAdvice::AfterReset { at } => at,
        advice => panic!("{advice:?}"),
    };
    let date = "Mon, 01 Jan 2024 00:00:00 GMT";
    let new_year = UNIX_EPOCH + Duration::from_secs(1_704_067_200);
    assert_eq!(at(&[]), None);
    assert_eq!(at(&[("retry-after", date)]), Some(new_year));
    assert_eq!(at(&[("retry-after", date), ("date", date)]), Some(new_year));
    // A minute's window is no quota's.
    assert_eq!(at(&[("x-ratelimit-reset-tokens", "1s")]), None);
    assert!(at(&[("retry-after", "3600")]).unwrap() > new_year);
}

#[test]
fn a_proxy_may_forbid_or_allow_another_try() {
    let advice = |status: u16, fields: &[(&str, &str)]| {
        decode(StatusCode::from_u16(status).unwrap(), &headers(fields), b"").unwrap().advice()
    };
    assert_eq!(advice(503, &[("x-should-retry", "false")]), RetryAdvice::NEVER);
    assert_eq!(advice(503, &[("grpc-retry-pushback-ms", "-1")]), RetryAdvice::NEVER);
    assert_eq!(advice(503, &[("x-should-retry", "maybe")]), RetryAdvice::BACKOFF);
    assert_eq!(advice(400, &[("x-should-retry", "true")]), RetryAdvice::BACKOFF);
    assert_eq!(advice(400, &[("x-should-retry", "true"), ("retry-after", "2")]), backoff(2));
    assert_eq!(advice(402, &[("x-should-retry", "true")]), RetryAdvice::NEVER);
    assert_eq!(advice(401, &[("x-should-retry", "false")]), RetryAdvice::AFTER_REFRESH);
}

#[test]
fn the_request_id_is_found_wherever_it_stands() {
    let id = |fields: &[(&str, &str)], body: &str| {
        let error = decode(StatusCode::INTERNAL_SERVER_ERROR, &headers(fields), body.as_bytes());
        error.unwrap().request_id().map(str::to_owned)
    };
    for name in ["x-request-id", "msh-request-id", "x-msh-trace-id", "x-trace-id"] {
        assert_eq!(id(&[(name, "r1")], "").as_deref(), Some("r1"), "{name}");
    }
    let both = [("x-trace-id", "trace"), ("x-request-id", "r1"), ("msh-request-id", "r2")];
    assert_eq!(id(&both, "").as_deref(), Some("r1"));
    assert_eq!(id(&[("x-request-id", "not plain")], ""), None);
    let body = r#"{"error":{"type":"server_error","message":"m","request_id":"in_body"}}"#;
    assert_eq!(id(&[], body).as_deref(), Some("in_body"));
    assert_eq!(id(&[], r#"{"code":50001,"msg":"m","request_id":"top"}"#).as_deref(), Some("top"));
}

#[test]
fn what_an_answer_must_carry_is_kept_and_nothing_that_names_an_account() {
    let fields = [
        ("allow", "GET, POST"),
        ("www-authenticate", "Bearer"),
        ("www-authenticate", "Basic realm=\"x\""),
        ("ratelimit", "\"default\";r=0;t=30"),
        ("ratelimit-policy", "\"default\";q=9;w=60"),
        ("x-ratelimit-remaining-requests", "0"),
        ("msh-org-id", "canary"),
        ("msh-uid", "canary"),
        ("msh-project-id", "canary"),
        ("msh-gid", "canary"),
        ("set-cookie", "canary=1"),
        ("authorization", "canary"),
        ("server", "canary"),
        ("content-type", "text/html"),
    ];
    let error = decode(StatusCode::TOO_MANY_REQUESTS, &headers(&fields), b"").unwrap();
    let kept = error.headers();
    assert_eq!(kept.len(), 5);
    assert_eq!(kept[header::ALLOW], "GET, POST");
    assert_eq!(kept[header::WWW_AUTHENTICATE], "Bearer, Basic realm=\"x\"");
    assert!(!format!("{error:?}{kept:?}").contains("canary"));
}

#[test]
fn our_own_mark_is_believed_only_beside_a_body_that_fits() {
    let error = Error::new(ErrorKind::ConcurrencyLimited);
    let headers = Dialect::Errcode.headers(&error);
    let read = |status: u16, body: &[u8]| {
        decode(StatusCode::from_u16(status).unwrap(), &headers, body).map(|error| error.kind())
    };
    assert_eq!(read(429, &Dialect::Errcode.body(&error)), Some(ErrorKind::ConcurrencyLimited));
    assert_eq!(read(429, b""), Some(ErrorKind::ConcurrencyLimited));
    assert_eq!(read(502, b"<html></html>"), Some(ErrorKind::BadGateway));
    assert_eq!(read(429, br#"{"errcode":-2005}"#), Some(ErrorKind::StreamBusy));
    let other = br#"{"error":{"type":"server_error","message":"x"}}"#;
    assert_eq!(read(500, other), Some(ErrorKind::System));
    assert_eq!(read(200, br#"{"choices":[]}"#), None);
}

#[test]
fn a_status_of_its_own_is_read_back_and_a_forged_one_is_not() {
    let error = Error::new(ErrorKind::Validation).with_status(406);
    let head = Dialect::Errcode.headers(&error);
    assert_eq!(head["x-kimi-error"], "validation;status=406");
    let read = |mark: &str, body: &[u8]| {
        let head = headers(&[("x-kimi-error", mark)]);
        decode(StatusCode::NOT_ACCEPTABLE, &head, body).unwrap().status()
    };
    let body = Dialect::Errcode.body(&error);
    assert_eq!(read("validation;status=406", &body), 406);
    assert_eq!(read("validation;status=406", b""), 406);
    for forged in ["200", "399", "600", "65942", "x", ""] {
        assert_eq!(read(&format!("validation;status={forged}"), &body), 400, "{forged}");
    }
}

#[test]
fn a_time_that_no_date_can_write_is_left_out() {
    const YEAR_10000: u64 = 253_402_300_800;
    let retry_after = |at| {
        let advice = RetryAdvice::AfterReset { at: Some(at) };
        let error = Error::new(ErrorKind::UsageLimited).with_advice(advice);
        Dialect::Errcode.headers(&error).get(header::RETRY_AFTER).cloned()
    };
    assert_eq!(retry_after(UNIX_EPOCH - Duration::from_secs(1)), None);
    assert_eq!(retry_after(UNIX_EPOCH + Duration::from_secs(YEAR_10000)), None);
    assert!(retry_after(UNIX_EPOCH + Duration::from_secs(YEAR_10000 - 1)).is_some());
    // Nor is one taken in.
    let body = br#"{"error":{"type":"rate_limit_reached_error","message":"TPD rate limit"}}"#;
    let head = headers(&[("retry-after", "Sat, 01 Jan 10000 00:00:00 GMT")]);
    let error = decode(StatusCode::TOO_MANY_REQUESTS, &head, body).unwrap();
    assert_eq!(error.advice(), RetryAdvice::AFTER_RESET);
}

#[test]
fn every_kind_survives_every_dialect() {
    for &kind in ErrorKind::ALL {
        for &dialect in Dialect::ALL {
            for lang in [Lang::Zh, Lang::En] {
                let error = Error::new(kind)
                    .with_lang(lang)
                    .with_request_id("req-1")
                    .with_retry_after(Duration::from_millis(2500))
                    .with_data(serde_json::json!([{ "pointer": "/model" }]));
                let response = dialect.response(&error);
                let read = decode(response.status(), response.headers(), response.body()).unwrap();
                assert_eq!(read.kind(), kind, "{kind} in {dialect}");
                assert_eq!(read.errcode(), error.errcode());
                assert_eq!(read.message(), error.message());
                assert_eq!(read.request_id(), Some("req-1"));
                assert_eq!(read.advice().name(), error.advice().name(), "{kind} in {dialect}");
                if matches!(error.advice(), RetryAdvice::AfterReset { .. }) {
                    // A quota's wait has become the time at which it is over.
                    let now = SystemTime::UNIX_EPOCH;
                    assert!(
                        matches!(read.advice(), RetryAdvice::AfterReset { at: Some(at) } if at > now)
                    );
                } else {
                    assert_eq!(read.retry_after(), error.retry_after(), "{kind} in {dialect}");
                }
                if dialect != Dialect::OpenAi {
                    assert_eq!(read.data(), error.data());
                }
            }
        }
    }
}
