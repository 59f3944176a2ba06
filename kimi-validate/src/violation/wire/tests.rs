use kimi_errors::{Dialect, chain, grpc};

use super::*;
use crate::{
    ChatRequest, Profile,
    limits::MAX_REPORTED,
    violation::{Expected, samples},
};

const LANGS: [Lang; 2] = [Lang::Zh, Lang::En];

/// The promise of [`Violations::into_error`].
const MAX_ANSWER: usize = 16_000;

/// As many as a built-in profile reports, all alike, and more than can be counted.
fn many(violation: &Violation) -> Violations {
    Violations::new(vec![violation.clone(); MAX_REPORTED], MAX_REPORTED, usize::MAX / 2).unwrap()
}

/// The longest answer, in every form that has a body.
fn longest(violations: &Violations, lang: Lang) -> Vec<(String, usize)> {
    let error = violations.clone().into_error(lang).with_request_id(&"r".repeat(128));
    let mut sizes = Vec::new();
    for dialect in Dialect::ALL {
        sizes.push((dialect.to_string(), dialect.body(&error).len()));
        sizes.push((format!("{dialect} in a stream"), dialect.sse_frame(&error).len()));
    }
    sizes
}

#[test]
fn an_answer_with_32_of_the_longest_violations_has_at_most_16_000_bytes() {
    let all = samples::all(&samples::pointers());
    for lang in LANGS {
        let length = |it: &&Violation| one(it, lang).to_string().len();
        let worst = all.iter().max_by_key(length).unwrap();
        for (dialect, bytes) in longest(&many(worst), lang) {
            assert!(bytes <= MAX_ANSWER, "{dialect} {lang:?}: {bytes} bytes with {worst:?}");
        }
    }
}

/// Names that were given to `with_required`: long, wide, or twice as long in JSON.
#[test]
fn names_of_any_length_leave_an_answer_within_its_bound() {
    for filling in ["x", "名", "\"", "\\", "~", "/", "\0", "\n", "\u{1f600}"] {
        let mut profile = Profile::article();
        for name in 0..40 {
            profile = profile.with_required(filling.repeat(5_000) + &name.to_string());
        }
        let violations = ChatRequest::parse("{}", &profile).unwrap_err();
        assert_eq!((violations.as_slice().len(), violations.truncated()), (32, 10));
        for (lang, violation) in
            LANGS.into_iter().flat_map(|lang| violations.iter().map(move |it| (lang, it)))
        {
            for (dialect, bytes) in longest(&many(violation), lang) {
                assert!(bytes <= MAX_ANSWER, "{filling:?} {dialect} {lang:?}: {bytes} bytes");
            }
        }
    }
}

/// HTTP/2 counts name, value and 32 for each field, RFC 9113 §6.5.2.
#[test]
fn grpc_trailers_stay_within_8_kib_and_carry_message_and_param() {
    let custom =
        samples::violation(&format!("/{}", "名".repeat(99)), Rule::Required, Expected::Nothing);
    let all = samples::all(&samples::pointers());
    for (violation, lang) in all.iter().chain([&custom]).flat_map(|it| LANGS.map(|lang| (it, lang)))
    {
        let violations = Violations::new(vec![violation.clone()], 1, usize::MAX / 2).unwrap();
        let error = violations.into_error(lang).with_request_id(&"r".repeat(128));
        let trailers = grpc::trailers(&error);
        let size: usize =
            trailers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        assert!(size <= 8 * 1024, "{size} bytes with {violation:?}");
        let read = grpc::from_trailers(&trailers).unwrap();
        assert_eq!((read.kind(), read.message()), (error.kind(), error.message()));
        assert_eq!(read.param(), error.param());
    }
}

/// `kimi-errors` hides what reads like a secret, and cuts what is long: none of it is ours. A name
/// that `with_required` was given can be called like one.
#[test]
fn nothing_that_is_said_is_taken_for_a_secret() {
    let names = "token access_token api_key secret password cookie authorization Bearer basic 密码";
    let named = names
        .split(' ')
        .map(|name| samples::violation(&format!("/{name}"), Rule::Required, Expected::Nothing));
    for violation in samples::all(&samples::pointers()).into_iter().chain(named) {
        for (lang, truncated) in [(Lang::Zh, 0), (Lang::Zh, 7), (Lang::En, 0), (Lang::En, 7)] {
            let violations = Violations::new(vec![violation.clone()], 1, truncated).unwrap();
            let error = violations.clone().into_error(lang);
            assert_eq!(error.message(), violations.public_message(error.kind(), lang));
            assert!(error.message().contains(&violation.message(lang)));
            assert_eq!(error.param(), place::param(violation.pointer()).as_deref());
        }
    }
}

#[test]
fn the_message_says_place_fault_and_how_many_more() {
    let body = r#"{"messages":[{"role":"user","content":""}]}"#;
    let model = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    for (body, lang, expected) in [
        (body, Lang::Zh, "请求参数校验错误：模型ID(model)不能为空（/model），另有1处错误"),
        (body, Lang::En, "request validation failed: model must not be empty (/model), and 1 more"),
        (model, Lang::Zh, "请求参数校验错误：模型ID(model)不能为空（/model）"),
        (model, Lang::En, "request validation failed: model must not be empty (/model)"),
        ("", Lang::Zh, "请求参数校验错误：请求体不能为空，请发送JSON对象"),
        ("", Lang::En, "request validation failed: the body is empty; send a JSON object"),
    ] {
        let error = ChatRequest::parse(body, &Profile::article()).unwrap_err().into_error(lang);
        assert_eq!(error.message(), expected, "{body}");
    }
}

#[test]
fn what_is_truncated_counts_as_more() {
    let violation = samples::violation("/n", Rule::Integer, Expected::Nothing);
    let violations = Violations::new(vec![violation; 2], 2, 40).unwrap();
    let error = violations.into_error(Lang::En);
    assert_eq!(
        error.message(),
        "request validation failed: n must be a whole number (/n), and 41 more"
    );
}

#[test]
fn a_body_too_large_is_answered_with_413_and_all_else_with_400() {
    for rule in Rule::ALL {
        let violation = samples::violation("", *rule, samples::expected(*rule).remove(0));
        let error = Violations::from(violation).into_error(Lang::Zh);
        let status = if *rule == Rule::BodyBytes { 413 } else { 400 };
        assert_eq!((error.errcode(), error.status()), (-1001, status), "{rule}");
    }
    let profile = Profile::article().with_max_body_bytes(1_000);
    let refused = ChatRequest::parse("x".repeat(1_001), &profile).unwrap_err();
    assert_eq!(refused, Violations::too_large(1_000));
    assert_eq!(
        refused.into_error(Lang::Zh).message(),
        "请求体过大：请求体不能超过1000字节，请缩短后重发"
    );
}

#[test]
fn the_cap_is_stated_in_the_answer() {
    let body = format!(r#"{{"model":"m","messages":[{}0]}}"#, "0,".repeat(39));
    for (profile, limit) in [(Profile::article(), 32), (Profile::article().with_max_reported(5), 5)]
    {
        let data = ChatRequest::parse(&body, &profile).unwrap_err().to_data(Lang::Zh);
        assert_eq!(data["limit"], limit);
        assert_eq!(data["truncated"], 40 - limit);
        assert_eq!(data["violations"].as_array().map(Vec::len), Some(limit));
    }
    let data = ChatRequest::parse("{", &Profile::article()).unwrap_err().to_data(Lang::Zh);
    assert_eq!((&data["limit"], &data["truncated"]), (&json!(1), &json!(0)));
}

#[test]
fn keys_stand_in_alphabetical_order() {
    let body = r#"{"model":7,"messages":[{"role":"user","content":"hi"}]}"#;
    let refused = ChatRequest::parse(body, &Profile::article()).unwrap_err();
    assert_eq!(
        refused.to_data(Lang::En).to_string(),
        concat!(
            r#"{"limit":32,"truncated":0,"violations":[{"message":"model must be a string, not a "#,
            r#"number","pointer":"/model","rule":"type","type":"number"}]}"#,
        )
    );
}

#[test]
fn the_violations_are_the_source() {
    let refused = ChatRequest::parse("{}", &Profile::article()).unwrap_err();
    let error = refused.clone().into_error(Lang::Zh);
    assert_eq!(chain::find::<Violations>(&error), Some(&refused));
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
    assert_eq!(chain::find::<Violations>(&*boxed), Some(&refused));
}

#[test]
fn the_param_is_the_place_as_openai_writes_it() {
    let body = r#"{"model":"m","messages":[{"role":"x","content":"hi"}]}"#;
    for (body, param) in [(body, Some("messages[0].role")), ("{}", Some("model")), ("[]", None)] {
        let error = ChatRequest::parse(body, &Profile::article()).unwrap_err().into_error(Lang::En);
        assert_eq!(error.param(), param);
    }
}
