//! What is promised of every body and every file URL, whatever it is. Of bodies, `serde_json`'s tree
//! tells what is true.
#![forbid(unsafe_code)]

mod accepted;
mod refused;
mod slowest;
mod urls;

pub use self::urls::hold_url;

use kimi_validate::{ChatRequest, Profile, Rule, Violations};
use serde_json::Value;

/// Holds all profiles to what they promise of this body.
///
/// # Panics
///
/// If one does not keep it.
pub fn hold(body: &[u8]) {
    let tree = serde_json::from_slice::<Value>(body).ok();
    let profiles = [Profile::article(), Profile::free_api(), Profile::platform()];
    for (index, profile) in profiles.iter().enumerate() {
        let verdict = slowest::timed(body, profile);
        let is_json = verdict.as_ref().err().is_none_or(|violations| !is_broken(violations));
        assert_eq!(is_json, tree.is_some(), "of what is JSON, serde_json is right: {verdict:?}");
        match &verdict {
            Ok(request) => {
                let tree = tree.as_ref().expect("compared above");
                assert_eq!(request.as_bytes(), body, "a body is not touched");
                accepted::matches(request, tree, index != 0);
            }
            Err(violations) => refused::is_fit(violations, body, tree.as_ref()),
        }
        if let (0, Some(tree)) = (index, &tree) {
            by_the_article(tree, verdict);
        }
    }
}

/// Whether the text could not be read to its end, so that nothing else was judged.
fn is_broken(violations: &Violations) -> bool {
    violations.is_syntax() || violations.first().rule() == Rule::Depth
}

/// The article's rules once more, on the tree.
fn by_the_article(tree: &Value, verdict: Result<ChatRequest<&[u8]>, Violations>) {
    let said = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        !text.chars().all(|it| it.is_whitespace() || it == '\u{feff}')
    };
    let is_message = |message: &Value| {
        let roles = ["system", "user", "assistant"].map(Value::from);
        message.get("role").is_some_and(|role| roles.contains(role)) && said(message.get("content"))
    };
    let is_well_formed = said(tree.get("model"))
        && tree["model"].as_str().is_some_and(|model| model.len() <= 256)
        && tree["messages"]
            .as_array()
            .is_some_and(|it| !it.is_empty() && it.iter().all(is_message))
        && tree.get("stream").is_none_or(Value::is_boolean);
    match verdict {
        Ok(_) => assert!(is_well_formed, "the article refuses this"),
        // The tree has the last value of a name, the pass judges the first.
        Err(found) if refused::has_duplicates(&found) => {}
        Err(found) => assert!(!is_well_formed, "the article takes this: {found:?}"),
    }
}
