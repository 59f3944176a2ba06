use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn content_of(value: &Value) -> String {
    value.to_string()
}

#[test]
fn a_text_is_one_part_of_its_own() {
    let raw = content_of(&json!("a\nb"));
    let content = Content::new(raw.as_bytes());
    assert_eq!(content.as_text().as_deref(), Some("a\nb"));
    let parts: Vec<_> = content.parts().map(|it| (it.kind(), it.value())).collect();
    assert_eq!(parts, [(Part::Text, "a\nb".into())]);
}

#[test]
fn what_has_no_escape_is_not_copied() {
    let content = Content::new("\"中文\"".as_bytes());
    assert!(matches!(content.as_text(), Some(Cow::Borrowed("中文"))));
    let content = Content::new(br#"[{"type":"text","text":"a"}]"#);
    assert!(matches!(content.parts().next().unwrap().value(), Cow::Borrowed("a")));
}

#[test]
fn parts_are_read_in_any_order_of_their_members() {
    let raw = br#" [ {"text":"a","type":"text"}, {"x":[{}],"type":"text","text":"b","x":1},
        {"t\u0065xt":"\u4e2d","typ\u0065":"t\u0065xt"} ] "#;
    let content = Content::new(raw);
    assert_eq!(content.chars().collect::<String>(), "ab中");
    assert_eq!(content.as_text(), None);
}

#[test]
fn a_url_is_a_text_or_in_an_object() {
    let raw = br#"[{"type":"image_url","image_url":"u1"},
        {"image_url":{"detail":"low","url":"u2","x":"y"},"type":"image_url","text":"no"},
        {"type":"video_url","video_url":{"\u0075rl":"u3"}},
        {"type":"file","file_url":{"url":"u4"}}]"#;
    let content = Content::new(raw);
    let parts: Vec<_> = content.parts().map(|it| (it.kind(), it.value().into_owned())).collect();
    let expected = [
        (Part::ImageUrl, "u1"),
        (Part::ImageUrl, "u2"),
        (Part::VideoUrl, "u3"),
        (Part::File, "u4"),
    ];
    assert_eq!(parts, expected.map(|(kind, url)| (kind, url.to_owned())));
    // No text of a part of another type counts.
    assert_eq!(content.chars().count(), 0);
}

#[test]
fn nothing_says_nothing() {
    for raw in ["", "null", "[]", "{}", "7", "true"] {
        let content = Content::new(raw.as_bytes());
        assert_eq!(content.as_text(), None, "{raw}");
        assert_eq!(content.parts().count(), 0, "{raw}");
        assert_eq!(content.chars().count(), 0, "{raw}");
    }
}

#[test]
fn what_is_shown_tells_nothing() {
    let content = Content::new(br#"[{"type":"text","text":"secret"}]"#);
    let part = content.parts().next().unwrap();
    let shown = format!("{content:?} {:?} {part:?}", content.parts());
    assert!(!shown.contains("secret") && !shown.contains("115"), "{shown}");
}

/// A part as a message may have it, the order of its members left to chance.
fn part() -> impl Strategy<Value = (Value, Option<String>)> {
    let text = any::<String>().prop_map(|text| {
        let part = json!({ "type": "text", "text": text });
        (part, Some(text))
    });
    let image = any::<String>()
        .prop_map(|url| (json!({ "type": "image_url", "image_url": { "url": url } }), None));
    prop_oneof![text, image]
}

proptest! {
    #[test]
    fn prop_chars_are_those_that_serde_json_decodes(text in any::<String>(), escape in any::<bool>()) {
        let mut raw = json!(text).to_string();
        if escape {
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            raw = format!("\"{}\"", units.collect::<String>());
        }
        let content = Content::new(raw.as_bytes());
        prop_assert_eq!(content.chars().collect::<String>(), &*text);
        prop_assert_eq!(content.as_text(), Some(Cow::Borrowed(&*text)));
    }

    #[test]
    fn prop_chars_of_parts_are_those_of_their_texts(
        parts in prop::collection::vec(part(), 0..6),
        is_pretty in any::<bool>(),
    ) {
        let list = Value::Array(parts.iter().map(|(part, _)| part.clone()).collect());
        let raw = if is_pretty { format!("{list:#}") } else { list.to_string() };
        let expected: String = parts.iter().filter_map(|(_, text)| text.as_deref()).collect();
        let content = Content::new(raw.as_bytes());
        prop_assert_eq!(content.chars().collect::<String>(), expected);
        prop_assert_eq!(content.parts().count(), parts.len());
    }

    #[test]
    fn prop_any_bytes_are_survived(
        raw in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "[\\[\\]{}\",:a-z\\\\u0-9ntype ]{0,64}".prop_map(String::into_bytes),
        ],
    ) {
        let content = Content::new(&raw);
        let _ = (content.as_text(), content.chars().count(), content.parts().count());
    }
}
