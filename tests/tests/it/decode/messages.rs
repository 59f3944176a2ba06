//! The words of the answers that are known are shown as they stand: none of them is a secret.

use kimi_errors::{Error, ErrorKind};
use serde_json::Value;

const FACTS: &str = include_str!("../../../facts/errors.json");

/// The words of every answer known, but for the two that carry what must not be shown.
#[test]
fn every_known_message_stays() {
    let facts: Vec<Value> = serde_json::from_str(FACTS).unwrap();
    assert!(facts.len() >= 170);
    let mut seen = 0;
    for fact in &facts {
        for member in ["example_message", "message_zh", "message_en"] {
            let Some(text) = fact.get(member).and_then(Value::as_str) else { continue };
            let expected = match text {
                "invalid user token: token expired" => "invalid user token: ***",
                text => text.trim_start_matches('\n'),
            };
            let error = Error::new(ErrorKind::System).with_message(text.to_owned());
            assert_eq!(error.message(), expected, "{}", fact["id"]);
            seen += 1;
        }
    }
    assert!(seen >= 400, "{seen}");
}
