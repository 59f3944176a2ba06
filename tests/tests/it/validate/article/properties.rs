//! The same for requests that nobody thought of.

use kimi_validate::{ChatRequest, Profile};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Errors, earlier, later};
use crate::validate::judge;

/// The faults that we find, in the form of the article: without their types and offsets.
fn ours(params: &Value) -> Vec<String> {
    let rows = judge(params.to_string().as_bytes(), &Profile::article());
    rows.iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect()
}

/// Whatever may stand for a member, right or wrong.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "[ \t\u{3000}\u{85}\u{a0}\u{200b}x]{0,3}".prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => (-1..2).prop_map(Value::from),
        1 => Just(json!([])),
        1 => Just(json!(["x"])),
        1 => Just(json!({})),
        1 => Just(json!({ "role": "user" })),
    ]
}

fn message() -> impl Strategy<Value = Value> {
    let roles = prop::sample::select(&["user", "assistant", "system", "tool", ""][..]);
    let role = prop::option::of(prop_oneof![4 => roles.prop_map(Value::from), 1 => value()]);
    let content = prop::option::of(prop_oneof![2 => Just(json!("x")), 3 => value()]);
    let object = (role, content).prop_map(|(role, content)| {
        let members = [("role", role), ("content", content)];
        members.into_iter().filter_map(|(name, it)| Some((name, it?))).collect()
    });
    prop_oneof![9 => object, 1 => value()]
}

fn params() -> impl Strategy<Value = Value> {
    let messages = prop::collection::vec(message(), 0..5).prop_map(Value::Array);
    let messages = prop::option::of(prop_oneof![6 => messages, 1 => value()]);
    let member = || prop::option::of(value());
    (member(), messages, member()).prop_map(|(model, messages, stream)| {
        let members = [("model", model), ("messages", messages), ("stream", stream)];
        members.into_iter().filter_map(|(name, it)| Some((name, it?))).collect()
    })
}

/// Where we find a fault, if the article's later function finds its own there: it, changed by what
/// is listed on this page.
fn places(params: &Value, errors: Errors) -> Vec<String> {
    let mut places: Vec<_> = errors.into_iter().map(|(place, _)| place).collect();
    let is_blank = |text: &str| text.chars().all(|it| it.is_whitespace() || it == '\u{feff}');
    if params.get("model").is_some_and(|model| model.as_str().is_none_or(is_blank)) {
        places.push("/model".into());
    }
    let messages = params.get("messages").and_then(Value::as_array);
    for (index, message) in messages.into_iter().flatten().enumerate() {
        if !message.is_object() {
            let whole = format!("/messages/{index}");
            places.retain(|place| !place.starts_with(&format!("{whole}/")));
            places.push(whole);
        } else if message.get("content").and_then(Value::as_str).is_some_and(is_blank) {
            places.push(format!("/messages/{index}/content"));
        }
    }
    places.sort();
    places.dedup();
    places
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn prop_we_find_what_the_later_function_finds_where_it_does(params in params()) {
        match later(&params) {
            Ok(errors) => {
                let mut found: Vec<_> =
                    ours(&params).iter().map(|it| it.split(' ').next().unwrap().to_owned()).collect();
                found.sort();
                prop_assert_eq!(found, places(&params, errors));
            }
            Err(()) => prop_assert!(!ours(&params).is_empty()),
        }
    }

    #[test]
    fn prop_what_we_take_the_earlier_function_takes_but_for_system(params in params()) {
        if ours(&params).is_empty() {
            let errors = earlier(&params).unwrap();
            let request = ChatRequest::parse(params.to_string(), &Profile::article()).unwrap();
            let roles: Vec<_> = request.messages().map(|message| message.role()).collect();
            for (place, _) in errors {
                let index: usize =
                    place.trim_matches(|it: char| !it.is_ascii_digit()).parse().unwrap();
                prop_assert!(place.ends_with("/role"));
                prop_assert_eq!(roles[index].name(), "system");
            }
        }
    }
}
