use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use super::*;
use crate::{Dialect, Error, ErrorKind, Lang, Received, RetryAdvice, errcode};

const LANGS: [Lang; 2] = [Lang::Zh, Lang::En];

/// Every kind that the article has an errcode for.
fn of_the_article() -> impl Iterator<Item = ErrorKind> {
    errcode::ALL.iter().map(|(code, _)| ErrorKind::from_errcode(*code).unwrap())
}

fn diagnosis_of(kind: ErrorKind) -> Diagnosis {
    diagnose(Some(kind.status()), &Dialect::Errcode.body(&Error::new(kind)))
}

#[test]
fn every_errcode_of_the_article_reaches_its_own_kind() {
    for kind in of_the_article() {
        let diagnosis = diagnosis_of(kind);
        assert_eq!(
            diagnosis.path(),
            [Step::Status(kind.status()), Step::Errcode(kind.errcode()), Step::Kind(kind)]
        );
        assert_eq!(diagnosis.kind(), Some(kind));
        assert_eq!(diagnosis.advice(), Some(kind.advice()));

        let tree = tree();
        let branch = tree.iter().find(|branch| branch.status == kind.status()).unwrap();
        let twig = branch.twigs.iter().find(|twig| twig.errcode == kind.errcode()).unwrap();
        assert_eq!(twig.kinds[0], kind, "the owner of an errcode stands first");
    }
}

#[test]
fn an_error_in_a_200_is_diagnosed_by_its_code() {
    let body = r#"{"code":-2005,"message":"已有对话流正在输出","data":null}"#;
    let diagnosis = diagnose(Some(200), body.as_bytes());
    assert_eq!(
        diagnosis.path(),
        [Step::Status(200), Step::Errcode(-2005), Step::Kind(ErrorKind::StreamBusy)]
    );
}

#[test]
fn the_tree_holds_every_kind_once() {
    let tree = tree();
    let leaves: Vec<_> = tree
        .iter()
        .flat_map(|branch| &branch.twigs)
        .flat_map(|twig| twig.kinds.iter().copied())
        .collect();
    let distinct: HashSet<_> = leaves.iter().copied().collect();
    assert_eq!(leaves.len(), ErrorKind::ALL.len());
    assert_eq!(distinct.len(), ErrorKind::ALL.len());
    assert!(tree.is_sorted_by_key(|branch| branch.status));
}

#[test]
fn a_success_says_so_in_every_format() {
    let fine = diagnose(Some(200), br#"{"errcode":0,"data":{"token":"t"}}"#);
    assert!(fine.is_success());
    assert_eq!((fine.kind(), fine.advice()), (None, None));
    assert_eq!(fine.render(Format::Text, Lang::Zh), "HTTP 200\n成功：没有错误\n");
    let page: Value = serde_json::from_str(&fine.render(Format::Json, Lang::En)).unwrap();
    assert_eq!(page["ok"], true);
    assert_eq!(page["kind"], Value::Null);
    assert_eq!(page["remedies"], Value::Array(Vec::new()));
    let chart = fine.render(Format::Mermaid, Lang::En);
    assert!(chart.contains("success[\"success: no error\"]"), "{chart}");
}

#[test]
fn text_names_the_path_the_causes_and_the_remedies() {
    let busy = diagnosis_of(ErrorKind::StreamBusy);
    assert_eq!(
        busy.render(Format::Text, Lang::Zh),
        "\
HTTP 429 → errcode -2005 (API_CHAT_STREAM_PUSHING) → stream_busy
消息：已有对话流正在输出
重试建议：当前流结束后重试
由谁处理：会话

原因
  - 同一会话的上一个回答还没输出完，就发送了新请求
  - 多个请求并行使用同一个会话 id
  - 客户端超时后重发，而上游的流仍在输出

处理
  1. 同一会话的请求排队，等上一个流结束再发送
  2. 不再需要的流，先取消再发送
  3. 互不相关的任务各用一个会话
  4. 跟踪请求状态，避免重复发送

仍未解决
  保留状态码、响应体、请求 id、时间与重试次数，收集详细日志并寻求技术支持
"
    );
}

#[test]
fn a_message_of_its_own_stays_and_the_kinds_is_translated() {
    let usual = diagnosis_of(ErrorKind::StreamBusy).render(Format::Text, Lang::En);
    assert!(usual.contains("Message: a stream is already running in this conversation\nAdvice"));

    let own = diagnose(Some(429), r#"{"errcode":-2005,"errmsg":"流 a1 正在输出"}"#.as_bytes());
    assert_eq!(own.message(Lang::En), Some("流 a1 正在输出"));
    let own = own.render(Format::Text, Lang::En);
    assert!(own.contains("Message: 流 a1 正在输出\nMeaning: a stream is already running in"));
}

#[test]
fn every_kind_is_rendered_whole_in_both_languages() {
    for (kind, lang) in ErrorKind::ALL.iter().flat_map(|kind| LANGS.map(|lang| (*kind, lang))) {
        let diagnosis = Diagnosis::from(Error::new(kind));
        let text = diagnosis.render(Format::Text, lang);
        let chart = diagnosis.render(Format::Mermaid, lang);
        let page: Value = serde_json::from_str(&diagnosis.render(Format::Json, lang)).unwrap();
        assert_eq!(page["ok"], false);
        assert_eq!(page["kind"], kind.name());
        assert_eq!(page["advice"]["retry"], kind.advice().name());
        assert_eq!(page["path"].as_array().unwrap().len(), 3);
        for item in kind.causes(lang).iter().chain(kind.remedies(lang)) {
            assert!(text.contains(item), "{kind}: {item}");
            assert!(chart.contains(item), "{kind}: {item}");
        }
        assert_eq!(page["remedies"][0], kind.remedies(lang)[0]);
    }
}

#[test]
fn the_time_of_the_advice_is_shown() {
    let wait = Error::new(ErrorKind::RateLimited).with_retry_after(Duration::from_millis(1500));
    let wait = Diagnosis::from(wait);
    let text = wait.render(Format::Text, Lang::En);
    assert!(text.contains("Advice: retry with backoff, after 1.5 s at least\n"), "{text}");
    let page: Value = serde_json::from_str(&wait.render(Format::Json, Lang::En)).unwrap();
    assert_eq!(page["advice"]["after_ms"], 1500);

    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let reset = Error::new(ErrorKind::UsageLimited);
    let reset = reset.with_advice(RetryAdvice::AfterReset { at: Some(at) });
    let text = Diagnosis::from(reset).render(Format::Text, Lang::Zh);
    assert!(text.contains("额度重置后重试，重置时间 Fri, 15 Jan 2027 08:00:00 GMT\n"), "{text}");
}

#[test]
fn a_reset_that_no_http_date_can_name_is_left_out() {
    for at in [
        SystemTime::UNIX_EPOCH - Duration::from_secs(1),
        SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800),
    ] {
        let error = Error::new(ErrorKind::UsageLimited);
        let error = error.with_advice(RetryAdvice::AfterReset { at: Some(at) });
        let text = Diagnosis::from(error).render(Format::Text, Lang::En);
        assert!(text.contains("Advice: retry after the quota resets\n"), "{text}");
    }
}

#[test]
fn what_a_stranger_wrote_breaks_no_format() {
    let text = "\u{1b}[31m\"]<script>\n#";
    let received =
        Received { status: Some(400), code: Some(text.into()), error_type: Some(text.into()) };
    let error = Error::new(ErrorKind::ParamsInvalid).with_received(received).with_message(text);
    let diagnosis = Diagnosis::from(error);

    let text = diagnosis.render(Format::Text, Lang::En);
    let path = text.lines().next().unwrap();
    assert_eq!(path, "HTTP 400 → params_invalid", "words that are none are not kept");
    assert!(!text.contains('\u{1b}'));

    let chart = diagnosis.render(Format::Mermaid, Lang::En);
    assert!(!chart.contains("<script>"), "{chart}");
    assert_eq!(render::mermaid::escape("\"]<script>"), "#quot;]#lt;script#gt;");
    for line in chart.lines() {
        assert!(line.matches('"').count() % 2 == 0, "{line}");
    }
    let json = diagnosis.render(Format::Json, Lang::En);
    assert!(serde_json::from_str::<Value>(&json).is_ok());
}

#[test]
fn node_ids_of_the_charts_are_unique() {
    let path = diagnosis_of(ErrorKind::TokenExpired).render(Format::Mermaid, Lang::En);
    for chart in [mermaid(Lang::Zh), mermaid(Lang::En), path] {
        // A node is declared where its label opens.
        let ids: Vec<_> = chart
            .lines()
            .filter_map(|line| line.split_once(['[', '{']))
            .filter_map(|(left, _)| left.split_whitespace().last())
            .collect();
        let distinct: HashSet<_> = ids.iter().collect();
        assert!(ids.len() > 8, "{chart}");
        assert_eq!(distinct.len(), ids.len(), "{chart}");
        assert!(ids.iter().all(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')));
    }
}

#[test]
fn every_row_of_the_table_has_every_column() {
    for lang in LANGS {
        let table = table(lang);
        assert_eq!(table.lines().count(), ErrorKind::ALL.len() + 2);
        for row in table.lines() {
            assert_eq!(row.matches('|').count(), 9, "{row}");
        }
    }
}

#[test]
fn names_of_formats_parse_back() {
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(*format));
    }
    let unknown = "yaml".parse::<Format>().unwrap_err();
    assert_eq!(unknown.to_string(), "unknown name, expected one of: text, json, mermaid");
}

proptest::proptest! {
    #[test]
    fn prop_no_answer_panics(
        status in proptest::option::of(proptest::num::u16::ANY),
        body in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        code in proptest::num::i64::ANY,
        message in "\\PC*",
    ) {
        let envelope = serde_json::json!({"errcode": code, "errmsg": message}).to_string();
        for body in [body.as_slice(), envelope.as_bytes()] {
            let diagnosis = diagnose(status, body);
            for (format, lang) in Format::ALL.iter().flat_map(|f| LANGS.map(|lang| (*f, lang))) {
                assert!(diagnosis.render(format, lang).ends_with('\n'));
            }
        }
    }
}
