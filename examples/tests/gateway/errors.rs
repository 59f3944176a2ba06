//! Each error that an upstream answers leaves the gateway in the gateway's dialect, to the byte.

use kimi_errors::{Dialect, Error, ErrorKind};
use serde::Deserialize;

use super::wire::{Gateway, NO_SCRIPT, QUESTION, STREAMED};

/// The table that the scripts for other languages' clients run over, too.
const CASES: &str = include_str!("../../../tests/interop/cases.json");

#[derive(Deserialize)]
struct Case {
    step: serde_json::Value,
    errcode: i32,
    status: u16,
    r#type: String,
    code: String,
    retried: bool,
    message: String,
}

impl Case {
    /// Returns the answer as the table of dialects says, written out here by hand.
    fn expected(&self, dialect: Dialect) -> (u16, String) {
        let Self { errcode, status, r#type, code, message, .. } = self;
        let envelope = format!(r#""errcode":{errcode},"errmsg":"{message}","data":null"#);
        let error = format!(
            r#""error":{{"message":"{message}","type":"{type}","param":null,"code":"{code}"}}"#
        );
        match dialect {
            Dialect::FreeApi => {
                (200, format!(r#"{{"code":{errcode},"message":"{message}","data":null}}"#))
            }
            Dialect::OpenAi => (*status, format!("{{{error}}}")),
            Dialect::Compat => (*status, format!("{{{envelope},{error}}}")),
            _ => (*status, format!("{{{envelope}}}")),
        }
    }
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    // The article's eleven codes are all there.
    let mut codes: Vec<i32> = cases.iter().map(|case| case.errcode).collect();
    codes.sort_unstable();
    codes.dedup();
    let article: Vec<i32> = kimi_errors::errcode::ALL.iter().rev().map(|(code, _)| *code).collect();
    assert!(article.iter().all(|code| codes.contains(code)), "{codes:?}");
    cases
}

#[tokio::test]
async fn every_error_has_its_exact_bytes_in_every_dialect() {
    for dialect in Dialect::ALL {
        let gateway = Gateway::tries_once(*dialect, NO_SCRIPT).await;
        for case in cases() {
            let answer = gateway.chat(QUESTION, &[("x-mock-step", &case.step.to_string())]).await;
            let (status, body) = case.expected(*dialect);
            assert_eq!((answer.status.as_u16(), answer.body), (status, body), "{dialect}");
            assert_eq!(answer.headers["content-type"], "application/json");
        }
    }
}

#[tokio::test]
async fn sdks_are_told_not_to_retry_what_is_in_vain() {
    let gateway = Gateway::tries_once(Dialect::OpenAi, NO_SCRIPT).await;
    for case in cases() {
        let answer = gateway.chat(QUESTION, &[("x-mock-step", &case.step.to_string())]).await;
        let is_retried_unless_told = matches!(case.status, 408 | 409 | 429 | 500..);
        let is_told = answer.headers.get("x-should-retry").is_some_and(|value| value == "false");
        assert_eq!(is_told, is_retried_unless_told && !case.retried, "{}", case.code);
    }
}

#[tokio::test]
async fn a_proxys_page_is_no_answer_of_ours() {
    let script = r#"{"steps": [{"raw": {"status": 502, "headers": {"content-type": "text/html"},
        "body": "<html><center><h1>502 Bad Gateway</h1></center><hr>nginx</html>"}}]}"#;
    let gateway = Gateway::tries_once(Dialect::Errcode, script).await;
    let answer = gateway.chat(QUESTION, &[]).await;
    assert_eq!(answer.status, 502);
    assert!(answer.body.starts_with(r#"{"errcode":-2001,"errmsg":""#), "{}", answer.body);
    assert!(!answer.body.contains("nginx"), "{}", answer.body);
}

#[tokio::test]
async fn an_error_in_a_stream_is_told_in_our_dialect_wherever_it_comes() {
    for dialect in Dialect::ALL {
        for after in [0, 2] {
            let error = serde_json::json!({"after_chunks": after, "fault": "plat.overloaded"});
            let script = serde_json::json!({"steps": [{"sse_error": error}]}).to_string();
            let gateway = Gateway::tries_once(*dialect, &script).await;
            let answer = gateway.chat(STREAMED, &[]).await;
            let overloaded = Error::new(ErrorKind::Overloaded)
                .with_message("The engine is currently overloaded, please try again later");
            if after == 0 {
                assert_eq!(answer.body.as_bytes(), dialect.body(&overloaded), "{dialect}");
                assert_eq!(answer.status, dialect.status(&overloaded));
            } else {
                let frame = String::from_utf8(dialect.sse_frame(&overloaded)).unwrap();
                assert!(answer.body.ends_with(&format!("\n\n{frame}")), "{}", answer.body);
                assert_eq!((answer.status.as_u16(), answer.is_whole), (200, true));
            }
        }
    }
}
