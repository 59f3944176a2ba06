//! The order of members changes neither the verdict nor what is found, only where it stands.

use std::collections::BTreeSet;

use kimi_validate::{ChatRequest, Profile};
use proptest::prelude::*;

/// A JSON value whose members stand in the order in which they are written.
#[derive(Clone, Debug)]
enum Json {
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    fn raw(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    fn object(members: impl IntoIterator<Item = (&'static str, Option<Self>)>) -> Self {
        let members = members.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?)));
        Self::Object(members.collect())
    }

    /// Writes it, with the members of each object in an order that the seed decides.
    fn write(&self, seed: &mut u64, text: &mut String) {
        let write_all = |items: Vec<(Option<&str>, &Self)>, seed: &mut u64, text: &mut String| {
            for (index, (name, value)) in items.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                if let Some(name) = name {
                    *text += &format!("\"{name}\":");
                }
                value.write(seed, text);
            }
        };
        match self {
            Self::Text(raw) => text.push_str(raw),
            Self::Array(items) => {
                text.push('[');
                write_all(items.iter().map(|item| (None, item)).collect(), seed, text);
                text.push(']');
            }
            Self::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().map(|(name, value)| (Some(&**name), value)).collect();
                members.sort_by_cached_key(|_| {
                    // Knuth's MMIX generator: any order, always the same.
                    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    *seed >> 32
                });
                text.push('{');
                write_all(members, seed, text);
                text.push('}');
            }
        }
    }

    fn to_text(&self, mut seed: u64) -> String {
        let mut text = String::new();
        self.write(&mut seed, &mut text);
        text
    }
}

/// One of these texts of JSON, or none.
fn one(texts: &'static [&'static str]) -> impl Strategy<Value = Option<Json>> {
    prop::option::weighted(0.7, prop::sample::select(texts).prop_map(Json::raw))
}

fn part() -> impl Strategy<Value = Json> {
    let kinds = &[r#""text""#, r#""image_url""#, r#""file""#, "7"];
    let texts = &[r#""x""#, r#""""#, "null"];
    let urls = &[r#""ms://f""#, r#"{"url":"ms://f"}"#, r#"{"url":"http://f"}"#, "{}"];
    (one(kinds), one(texts), one(urls)).prop_map(|(kind, text, url)| {
        Json::object([("type", kind), ("text", text), ("image_url", url)])
    })
}

fn message() -> impl Strategy<Value = Json> {
    let roles = &[
        r#""assistant""#,
        r#""assistant""#,
        r#""tool""#,
        r#""user""#,
        r#""system""#,
        r#""x""#,
        "7",
    ];
    let texts = one(&[r#""x""#, r#""x""#, r#""""#, "null", "[]", "7"]);
    let parts = prop::collection::vec(part(), 1..3).prop_map(|parts| Some(Json::Array(parts)));
    let calls = one(&[
        "[]",
        r#"[{"id":"a","function":{"name":"f"}}]"#,
        r#"[{"function":{"name":"f"},"id":"b"},{"id":"a","function":{"name":"f"}}]"#,
        r#"[{"id":"a","function":{"name":"f"}},{"id":"a","function":{"name":"f"}}]"#,
        r#"[{"id":""}]"#,
    ]);
    let tools = one(&[r#"[{"type":"function","function":{"name":"f"}}]"#, "[]", "7"]);
    (
        one(roles),
        prop_oneof![3 => texts, 1 => parts],
        one(&["true", "false", "null", "7"]),
        calls,
        one(&[r#""a""#, r#""b""#, r#""""#, "null"]),
        tools,
    )
        .prop_map(|(role, content, partial, calls, call_id, tools)| {
            Json::object([
                ("role", role),
                ("content", content),
                ("partial", partial),
                ("tool_calls", calls),
                ("tool_call_id", call_id),
                ("tools", tools),
            ])
        })
}

fn request() -> impl Strategy<Value = Json> {
    let format = one(&[
        r#"{"type":"json_object"}"#,
        r#"{"type":"json_schema"}"#,
        r#"{"json_schema":{"schema":{}},"type":"json_schema"}"#,
        "7",
    ]);
    let tools = one(&[
        r#"[{"type":"function","function":{"name":"f"}},{"function":{"name":"f"},"type":"x"}]"#,
        "{}",
    ]);
    (
        one(&[r#""k""#, r#"" ""#, "7", "null"]),
        prop::option::weighted(0.9, prop::collection::vec(message(), 0..5).prop_map(Json::Array)),
        one(&["true", r#""true""#, "null"]),
        format,
        one(&["0", "21", "1.5"]),
        one(&["true", "false"]),
        tools,
        one(&[r#"[1]"#, r#""x""#]),
    )
        .prop_map(|(model, messages, stream, format, top, logprobs, tools, user)| {
            Json::object([
                ("model", model),
                ("messages", messages),
                ("stream", stream),
                ("response_format", format),
                ("top_logprobs", top),
                ("logprobs", logprobs),
                ("tools", tools),
                ("user", user),
            ])
        })
}

/// All that is found: how many there are, and which rule is broken where.
fn found(body: &str, profile: &Profile) -> (usize, BTreeSet<(String, String)>) {
    let Err(violations) = ChatRequest::parse(body, profile) else {
        return (0, BTreeSet::new());
    };
    assert_eq!(violations.truncated(), 0);
    let set =
        violations.iter().map(|it| (it.pointer().to_owned(), it.rule().to_string())).collect();
    (violations.iter().count(), set)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn prop_the_order_of_members_changes_nothing(request in request(), seeds: [u64; 2]) {
        let profiles = [Profile::article(), Profile::free_api(), Profile::platform()];
        let bodies = seeds.map(|seed| request.to_text(seed));
        for profile in profiles {
            let profile = profile.with_required("user").with_max_reported(usize::MAX);
            let [first, second] = bodies.each_ref().map(|body| found(body, &profile));
            prop_assert_eq!(first, second, "{:?}", bodies);
        }
    }

    #[test]
    fn prop_violations_are_in_the_order_of_the_input(request in request(), seed: u64, cap in 1..8_usize) {
        let body = request.to_text(seed);
        let all = Profile::platform().with_max_reported(usize::MAX);
        let few = Profile::platform().with_max_reported(cap);
        if let Err(all) = ChatRequest::parse(&body, &all) {
            let offsets: Vec<_> = all.iter().map(|it| it.offset()).collect();
            prop_assert!(offsets.is_sorted());
            // Those that are listed are the first, and none is lost count of.
            let few = ChatRequest::parse(&body, &few).unwrap_err();
            let kept = offsets.len().min(cap);
            prop_assert_eq!(few.as_slice(), &all.as_slice()[..kept]);
            prop_assert_eq!(few.truncated(), offsets.len() - kept);
        }
    }
}
