//! Whatever the text, our reader takes what `serde_json` takes.

use proptest::prelude::*;

use super::{generate, is_json, walk};
use crate::{ChatRequest, Profile, violation::Rule};

proptest! {
    #[test]
    fn prop_what_is_json_is_taken(text in generate::json()) {
        prop_assert_eq!(walk(text.as_bytes()), Ok(()));
    }

    #[test]
    fn prop_serde_json_takes_the_same(
        text in generate::json(),
        changes in generate::changes(),
    ) {
        let mut text = text.into_bytes();
        changes.iter().for_each(|change| change.apply(&mut text));
        prop_assert_eq!(walk(&text).is_ok(), is_json(&text), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn prop_serde_json_takes_the_same_requests(
        (content, member) in (generate::json(), generate::json()),
        changes in generate::changes(),
    ) {
        let text = format!(
            r#"{{"model":"kimi", "messages":[{{"role" : "user","content":{content}}}],
                "stop":{member},"tools":[{member}],"unknown":{content}}}"#,
        );
        let mut text = text.into_bytes();
        changes.iter().for_each(|change| change.apply(&mut text));
        for profile in [Profile::article(), Profile::free_api(), Profile::platform()] {
            let violations = ChatRequest::parse(&text, &profile).err();
            let first = violations.as_ref().map(|it| (it.first().rule(), it.first().offset()));
            let rule = first.map(|(rule, _)| rule);
            let is_broken = matches!(
                rule,
                Some(
                    Rule::EmptyBody
                        | Rule::Bom
                        | Rule::Utf8
                        | Rule::Syntax
                        | Rule::LoneSurrogate
                        | Rule::TrailingData
                        | Rule::NumberOverflow
                        | Rule::Depth
                )
            );
            prop_assert_eq!(!is_broken, is_json(&text), "{}", String::from_utf8_lossy(&text));
            if is_broken && rule != Some(Rule::EmptyBody) {
                prop_assert_eq!(walk(&text).err().map(|it| (it.rule, it.at)), first);
            }
        }
    }

    #[test]
    fn prop_a_fault_depends_on_nothing_after_it(
        text in generate::json(),
        changes in generate::changes(),
        tail in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut text = text.into_bytes();
        changes.iter().for_each(|change| change.apply(&mut text));
        if let Err(fault) = walk(&text) {
            prop_assert!(fault.at <= text.len());
            // A lone surrogate, a number and a character are faults for what they end in.
            let is_one_byte = matches!(fault.rule, Rule::Syntax | Rule::TrailingData | Rule::Depth);
            if is_one_byte && fault.at < text.len() {
                text.truncate(fault.at + 1);
                text.extend(tail);
                prop_assert_eq!(walk(&text), Err(fault));
            }
        }
    }
}
