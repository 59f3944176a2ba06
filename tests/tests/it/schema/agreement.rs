//! One body, held to a profile and to its schema.

use std::collections::BTreeSet;

use jsonschema::{Validator, error::ValidationErrorKind};
use kimi_validate::{ChatRequest, Profile, Rule, Violation};
use serde_json::Value;

pub(super) struct Judges {
    profile: Profile,
    pub(super) schema: Value,
    validator: Validator,
}

/// What both say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    Taken,
    Refused,
    /// We refuse it for documented exceptions only, and the schema takes it.
    Excepted,
    /// We read it no further, or not the same member, so that there is nothing to compare.
    Incomparable,
}

impl Judges {
    pub(super) fn of(profile: Profile) -> Self {
        let schema = profile.json_schema();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        Self { profile: profile.with_max_reported(usize::MAX), schema, validator }
    }

    /// Returns the rules that the text breaks, by our own judgment.
    pub(super) fn rules(&self, text: &str) -> Vec<Rule> {
        match ChatRequest::parse(text, &self.profile) {
            Ok(_) => Vec::new(),
            Err(violations) => violations.iter().map(Violation::rule).collect(),
        }
    }

    pub(super) fn schema_takes(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Returns the verdict, or how both differ. The text must be JSON.
    pub(super) fn compare(&self, text: &str) -> Result<Verdict, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let is_valid = self.schema_takes(&value);
        let violations = match ChatRequest::parse(text, &self.profile) {
            Ok(_) if is_valid => return Ok(Verdict::Taken),
            Ok(_) => return Err(format!("the schema refuses {text}: {:?}", self.places(&value))),
            Err(violations) => violations,
        };
        if violations.iter().map(Violation::rule).any(is_incomparable) {
            return Ok(Verdict::Incomparable);
        }
        let said: BTreeSet<_> = violations
            .iter()
            .filter(|violation| can_be_said(violation, &value))
            .map(|violation| violation.pointer().to_owned())
            .collect();
        let places = self.places(&value);
        if is_valid != said.is_empty() || !said.is_subset(&places) {
            return Err(format!("{text}: {violations:?}, and the schema has {places:?}"));
        }
        Ok(if is_valid { Verdict::Excepted } else { Verdict::Refused })
    }

    /// Returns where the schema finds fault; of a missing member, where it would stand.
    fn places(&self, value: &Value) -> BTreeSet<String> {
        let errors = self.validator.iter_errors(value);
        errors
            .map(|error| match error.kind() {
                ValidationErrorKind::Required { property } => {
                    let name = property.as_str().unwrap_or_default();
                    let name = name.replace('~', "~0").replace('/', "~1");
                    format!("{}/{name}", error.instance_path())
                }
                _ => error.instance_path().to_string(),
            })
            .collect()
    }

    /// Returns which keywords of the schema find fault, by the way that leads to them.
    pub(super) fn keywords(&self, value: &Value) -> BTreeSet<String> {
        self.validator.iter_errors(value).map(|error| error.evaluation_path().to_string()).collect()
    }
}

/// The pass ends there, or judges the first of two members where a validator sees the last.
fn is_incomparable(rule: Rule) -> bool {
    matches!(rule, Rule::BodyBytes | Rule::Bom | Rule::Depth | Rule::DuplicateKey)
}

/// The exceptions, as `Profile::json_schema` documents them.
fn can_be_said(violation: &Violation, value: &Value) -> bool {
    let pointer = violation.pointer();
    match violation.rule() {
        Rule::MaxBytes => {
            let max_chars = if pointer.starts_with("/stop") { 32 } else { 256 };
            let text = value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            text.chars().count() > max_chars
        }
        Rule::Unique | Rule::ToolCallId | Rule::Unanswered => false,
        Rule::Partial => {
            let message = pointer.strip_suffix("/partial").and_then(|it| value.pointer(it));
            let is_assistant = message.is_some_and(|message| message["role"] == "assistant");
            !is_assistant || value["response_format"]["type"] == "json_object"
        }
        _ => true,
    }
}
