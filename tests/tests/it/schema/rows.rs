//! Every row of the tables, one after the other: each place of the requests that a profile takes
//! holds everything once.

use std::collections::BTreeSet;

use kimi_validate::{Profile, Rule};
use serde_json::{Value, json};

use super::{
    agreement::{Judges, Verdict},
    documents::{BASES, Base, Change, LENGTHS, NAMES, article, places, pool},
    text::write,
};

/// Names the keywords that a value can break.
const KEYWORDS: &[&str] = &[
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "pattern",
    "maxLength",
    "minItems",
    "maxItems",
    "required",
    "not",
];

#[test]
fn each_keyword_of_the_schemas_refuses_what_we_refuse_and_takes_what_we_take() {
    for Base { profile, requests, .. } in BASES {
        // As many as the lengths exceed; the number is no row of a table.
        let judges = Judges::of(profile().with_max_messages(7).with_max_parts(6));
        let mut broken = BTreeSet::new();
        let mut judge = |document: &Value| {
            let verdict = judges.compare(&write(document, &[u8::MAX - 1])).unwrap();
            if verdict == Verdict::Refused {
                broken.extend(judges.keywords(document));
            }
            verdict
        };
        for document in requests() {
            assert_eq!(judge(&document), Verdict::Taken, "{document}");
            for place in places(&document) {
                for change in changes() {
                    let mut changed = document.clone();
                    change.apply(&mut changed, &place);
                    if changed != document {
                        judge(&changed);
                    }
                }
            }
        }
        let mut known = BTreeSet::new();
        keywords(&judges.schema, &judges.schema, "", &mut known);
        let missed: Vec<_> = known.difference(&broken).collect();
        assert!(missed.is_empty(), "nothing breaks {missed:?}");
    }
}

fn changes() -> Vec<Change> {
    let mut changes = vec![Change::Remove, Change::Reverse];
    changes.extend(LENGTHS.iter().map(|length| Change::Resize(*length)));
    changes.extend(pool().into_iter().map(Change::Put));
    changes.extend(NAMES.iter().map(|name| Change::Add(name, Value::Null)));
    changes.extend(NAMES.iter().map(|name| Change::Add(name, true.into())));
    changes
}

/// Lists the places of all keywords that a value can break, by the way that leads to them, but for
/// those of conditions.
fn keywords(all: &Value, schema: &Value, way: &str, known: &mut BTreeSet<String>) {
    for (name, value) in schema.as_object().into_iter().flatten() {
        let way = format!("{way}/{name}");
        let mut each = |step: &str, schema: &Value| {
            keywords(all, schema, &format!("{way}/{step}"), known);
        };
        match name.as_str() {
            "properties" => {
                value.as_object().unwrap().iter().for_each(|(name, schema)| each(name, schema));
            }
            "allOf" => {
                let rules = value.as_array().unwrap().iter().enumerate();
                rules.for_each(|(index, schema)| each(&index.to_string(), schema));
            }
            "$ref" => {
                let target = all.pointer(value.as_str().unwrap().trim_start_matches('#')).unwrap();
                keywords(all, target, &way, known);
            }
            "items" | "then" | "else" => keywords(all, value, &way, known),
            keyword if KEYWORDS.contains(&keyword) => drop(known.insert(way)),
            "if" | "description" | "title" | "$schema" | "$defs" => {}
            other => panic!("a keyword that this test does not know: {other}"),
        }
    }
}

/// Every character of the basic plane, and some of each plane above.
#[test]
fn each_character_is_blank_to_the_schema_if_it_is_to_us() {
    let judges = Judges::of(Profile::article());
    let above = (0x1_0000..=0x10_FFFF).step_by(0xFF);
    let characters = (0..=0xFFFF).chain(above).filter_map(char::from_u32);
    let mut blank = Vec::new();
    for character in characters {
        let text = Value::from(format!("{character}\u{3000}{character}"));
        let document =
            format!(r#"{{"model":{text},"messages":[{{"role":"user","content":{text}}}]}}"#);
        if judges.compare(&document).unwrap() == Verdict::Refused {
            blank.push(character);
        }
    }
    // Unicode's `White_Space` has 25 characters.
    assert_eq!(blank.len(), 26, "{blank:?}");
}

#[test]
fn a_member_that_is_required_twice_is_asked_for_once() {
    let judges = Judges::of(Profile::article().with_required("user").with_required("user"));
    assert_eq!(judges.schema["required"], json!(["model", "messages", "user"]));
    let mut document = article().remove(0);
    assert_eq!(judges.rules(&document.to_string()), [Rule::Required]);
    document["user"] = Value::Null;
    assert_eq!(judges.compare(&document.to_string()), Ok(Verdict::Taken));
}
