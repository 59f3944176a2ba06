//! The article checks a request in two places, in JavaScript: `validateRequestParams`, the earlier and
//! looser, and `validateChatParams`. Both are written here again, over `serde_json::Value`, and held
//! against `Profile::article()`.
//!
//! It agrees with the later one but for these:
//!
//! - a model must be a text, and not a blank one; the article takes whatever is truthy;
//! - U+0085 is white space to Unicode and to us, but not to `trim`;
//! - a message that is no object has one fault, not two; of `null` the article throws a `TypeError`;
//! - the bounds: names of 256 bytes, 65 536 messages, names that stand twice, 127 levels.
//!
//! With the earlier one it differs besides in `system`, which that knows not, in an empty list of
//! messages, in blank texts and truthy other contents, and in `stream`, neither of which it looks at.

mod cases;
mod properties;

use kimi_validate::Profile;
use serde_json::Value;

use self::cases::CASES;
use super::judge;

/// What one of the article's functions makes of a request: where each of its errors stands, and its
/// text.
type Errors = Vec<(String, String)>;

/// `!value`, where `None` is `undefined`.
fn is_falsy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

/// `text.trim() === ''`, by ECMAScript's WhiteSpace and LineTerminator.
fn is_trimmed_away(text: &str) -> bool {
    text.chars().all(|it| {
        matches!(it, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{a0}' | '\u{1680}')
            || matches!(it, '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}')
            || matches!(it, '\u{205f}' | '\u{3000}' | '\u{feff}')
    })
}

/// `value.name`; `Err` is a `TypeError`.
fn member<'a>(value: &'a Value, name: &str) -> Result<Option<&'a Value>, ()> {
    if value.is_null() { Err(()) } else { Ok(value.get(name)) }
}

fn has_role(message: &Value, roles: &[&str]) -> Result<bool, ()> {
    let role = member(message, "role")?;
    Ok(role.and_then(Value::as_str).is_some_and(|role| roles.contains(&role)))
}

/// `validateRequestParams`.
fn earlier(params: &Value) -> Result<Errors, ()> {
    let mut errors = Errors::new();
    if is_falsy(member(params, "model")?) {
        errors.push(("/model".into(), "模型参数(model)是必填项".into()));
    }
    let Some(Value::Array(messages)) = member(params, "messages")? else {
        errors.push(("/messages".into(), "消息(messages)必须是数组".into()));
        return Ok(errors);
    };
    for (index, message) in messages.iter().enumerate() {
        if !has_role(message, &["user", "assistant"])? {
            let text = format!("消息{index}的角色(role)必须是user或assistant");
            errors.push((format!("/messages/{index}/role"), text));
        }
        if is_falsy(member(message, "content")?) {
            let text = format!("消息{index}的内容(content)不能为空");
            errors.push((format!("/messages/{index}/content"), text));
        }
    }
    Ok(errors)
}

/// `validateChatParams`.
fn later(params: &Value) -> Result<Errors, ()> {
    let mut errors = Errors::new();
    if is_falsy(member(params, "model")?) {
        errors.push(("/model".into(), "模型ID(model)不能为空".into()));
    }
    match member(params, "messages")? {
        Some(Value::Array(messages)) if !messages.is_empty() => {
            for (index, message) in messages.iter().enumerate() {
                if !has_role(message, &["user", "assistant", "system"])? {
                    let text = format!("消息{index}的角色(role)必须是user、assistant或system");
                    errors.push((format!("/messages/{index}/role"), text));
                }
                let content = member(message, "content")?.and_then(Value::as_str);
                if content.is_none_or(is_trimmed_away) {
                    let text = format!("消息{index}的内容(content)必须是非空字符串");
                    errors.push((format!("/messages/{index}/content"), text));
                }
            }
        }
        _ => errors.push(("/messages".into(), "消息列表(messages)必须是非空数组".into())),
    }
    if !matches!(member(params, "stream")?, None | Some(Value::Bool(_))) {
        errors.push(("/stream".into(), "流式输出(stream)必须是布尔值".into()));
    }
    Ok(errors)
}

/// The errors that a case names, with the article's own words.
fn named(names: &str, is_later: bool) -> Result<Errors, ()> {
    if names == "throws" {
        return Err(());
    }
    let words = names.split_whitespace().map(|name| match (name, is_later) {
        ("model", false) => ("/model".into(), "模型参数(model)是必填项".into()),
        ("model", true) => ("/model".into(), "模型ID(model)不能为空".into()),
        ("messages", false) => ("/messages".into(), "消息(messages)必须是数组".into()),
        ("messages", true) => ("/messages".into(), "消息列表(messages)必须是非空数组".into()),
        ("stream", _) => ("/stream".into(), "流式输出(stream)必须是布尔值".into()),
        (name, _) => {
            let (index, member) = name.split_at(name.len() - 1);
            let (place, text) = match (member, is_later) {
                ("r", false) => ("role", "的角色(role)必须是user或assistant"),
                ("r", true) => ("role", "的角色(role)必须是user、assistant或system"),
                ("c", false) => ("content", "的内容(content)不能为空"),
                (_, _) => ("content", "的内容(content)必须是非空字符串"),
            };
            (format!("/messages/{index}/{place}"), format!("消息{index}{text}"))
        }
    });
    Ok(words.collect())
}

#[test]
fn every_case_is_judged_as_the_article_does_but_for_what_is_listed() {
    assert!(CASES.len() >= 60, "{}", CASES.len());
    for (template, by_earlier, by_later, by_us) in CASES {
        let text = template
            .replace("[U", r#"[{"role":"user","content":"x"}"#)
            .replace(",U", r#",{"role":"user","content":"x"}"#)
            .replace(":U", r#":{"role":"user","content":"x"}"#)
            .replace("[A", r#"[{"role":"assistant","content":"x"}"#)
            .replace(",A", r#",{"role":"assistant","content":"x"}"#);
        let params = serde_json::from_str(&text).unwrap();
        assert_eq!(earlier(&params), named(by_earlier, false), "{text}");
        assert_eq!(later(&params), named(by_later, true), "{text}");
        let by_us: Vec<_> = by_us.split(';').filter(|it| !it.is_empty()).collect();
        // Members of the request stand in another order in `params`, as `serde_json` sorts them.
        let mut found = judge(text.as_bytes(), &Profile::article());
        found
            .iter_mut()
            .for_each(|row| *row = row.split(' ').take(2).collect::<Vec<_>>().join(" "));
        assert_eq!(found, by_us, "{text}");
    }
}

#[test]
fn the_cases_differ_only_where_it_is_said() {
    for (text, by_earlier, by_later, by_us) in CASES {
        if by_later.is_empty() && !by_us.is_empty() {
            assert!(text.contains("model\":") || text.contains("0085"), "{text}");
        }
        assert!(by_later.is_empty() || !by_us.is_empty(), "we take what the later refuses: {text}");
        if !by_earlier.is_empty() && by_us.is_empty() {
            assert!(text.contains("system"), "{text}");
        }
    }
}
