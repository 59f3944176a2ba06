//! Each error that an upstream answers leaves the gateway in the gateway's dialect, to the byte.

use kimi_errors::{Dialect, Error, ErrorKind, RetryAdvice};
use serde::Deserialize;

use super::wire::{Gateway, NO_SCRIPT, QUESTION, STREAMED};

/// The table that the scripts for other languages' clients run over, too.
const TABLE: &str = include_str!("../../../tests/interop/cases.json");

#[derive(Deserialize)]
struct Table {
    answers: Vec<Case>,
    kinds: Vec<Case>,
}

/// An upstream's error, which a step or a kind makes, and what leaves the gateway.
#[derive(Deserialize)]
struct Case {
    step: Option<serde_json::Value>,
    kind: Option<String>,
    errcode: i32,
    status: u16,
    r#type: String,
    code: Option<String>,
    retries: u32,
    message: String,
}

impl Case {
    /// Returns what the upstream's script says.
    fn step(&self) -> String {
        match (&self.step, &self.kind) {
            (Some(step), _) => step.to_string(),
            (None, kind) => serde_json::json!({"kind": kind}).to_string(),
        }
    }

    /// Returns the answer as the table of dialects says, written out here by hand.
    fn expected(&self, dialect: Dialect) -> (u16, String) {
        let Self { errcode, status, r#type, message, .. } = self;
        let code = self.code();
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

    /// A kind's code is its name.
    fn code(&self) -> &str {
        self.code.as_ref().or(self.kind.as_ref()).unwrap()
    }
}

fn cases() -> Vec<Case> {
    let Table { mut answers, kinds } = serde_json::from_str(TABLE).unwrap();
    answers.extend(kinds);
    answers
}

#[test]
fn the_table_has_every_kind_and_what_an_sdk_that_tries_twice_more_does_about_it() {
    let Table { kinds, .. } = serde_json::from_str(TABLE).unwrap();
    let names: Vec<&str> = kinds.iter().map(Case::code).collect();
    let all: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names, all, "tests/interop/cases.json has a row for each kind, in their order");
    for (case, kind) in kinds.iter().zip(ErrorKind::ALL) {
        let advice = kind.advice();
        let is_soon = advice == RetryAdvice::BACKOFF || advice == RetryAdvice::AFTER_STREAM;
        assert_eq!(case.retries, if is_soon { 2 } else { 0 }, "{kind}: {}", advice.name());
    }
}

#[tokio::test]
async fn every_error_has_its_exact_bytes_in_every_dialect() {
    for dialect in Dialect::ALL {
        let gateway = Gateway::tries_once(*dialect, NO_SCRIPT).await;
        for case in cases() {
            let answer = gateway.chat(QUESTION, &[("x-mock-step", &case.step())]).await;
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
        let answer = gateway.chat(QUESTION, &[("x-mock-step", &case.step())]).await;
        let is_retried_unless_told = matches!(case.status, 408 | 409 | 429 | 500..);
        let is_told = answer.headers.get("x-should-retry").is_some_and(|value| value == "false");
        assert_eq!(is_told, is_retried_unless_told && case.retries == 0, "{}", case.code());
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
        let gateway = Gateway::tries_once(*dialect, NO_SCRIPT).await;
        for kind in ErrorKind::ALL {
            for after in [0, 1, 2] {
                let error = serde_json::json!({"after_chunks": after, "kind": kind.name()});
                let step = serde_json::json!({ "sse_error": error }).to_string();
                let answer = gateway.chat(STREAMED, &[("x-mock-step", &step)]).await;
                let error = Error::new(*kind);
                // The first event has the role and no content, and yet the head is out with it.
                if after == 0 {
                    assert_eq!(answer.body.as_bytes(), dialect.body(&error), "{dialect}");
                    assert_eq!(answer.status, dialect.status(&error));
                    continue;
                }
                let frame = String::from_utf8(dialect.sse_frame(&error)).unwrap();
                assert!(answer.body.ends_with(&format!("\n\n{frame}")), "{}", answer.body);
                assert_eq!(answer.body.matches("\n\n").count(), after + 1, "{}", answer.body);
                assert_eq!((answer.status.as_u16(), answer.is_whole), (200, true));
            }
        }
    }
}
