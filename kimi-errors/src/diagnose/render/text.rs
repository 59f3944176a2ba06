//! Lines for a terminal.

use std::fmt::Write as _;

use super::super::{
    Diagnosis,
    words::{advice_in_full, words},
};
use crate::Lang;

pub(super) fn render(diagnosis: &Diagnosis, lang: Lang) -> String {
    let words = words(lang);
    let path: Vec<_> = diagnosis.path().iter().map(ToString::to_string).collect();
    let mut out = path.join(" → ");
    if !out.is_empty() {
        out.push('\n');
    }
    let Some(error) = diagnosis.error() else {
        out.push_str(words.success);
        out.push('\n');
        return out;
    };
    // Writing into a string cannot fail.
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name}{}{value}", words.colon);
    };
    let message = diagnosis.message(lang).unwrap_or_default();
    line(words.message, message);
    let meaning = error.kind().message(lang);
    if meaning != message {
        line(words.meaning, meaning);
    }
    line(words.advice, &advice_in_full(error.advice(), lang));
    line(words.fault, error.kind().fault().label(lang));
    if let Some(request_id) = error.request_id() {
        line(words.request_id, request_id);
    }
    let _ = writeln!(out, "\n{}", words.causes);
    for cause in diagnosis.causes(lang) {
        let _ = writeln!(out, "  - {cause}");
    }
    let _ = writeln!(out, "\n{}", words.remedies);
    for (number, remedy) in (1..).zip(diagnosis.remedies(lang)) {
        let _ = writeln!(out, "  {number}. {remedy}");
    }
    let _ = writeln!(out, "\n{}\n  {}", words.persists, words.escalate);
    out
}
