//! A Mermaid flowchart of the path taken, and the parts that the whole tree's chart shares.

use std::fmt::Write as _;

use super::super::{
    Diagnosis, Step,
    words::{advice_in_full, words},
};
use crate::{ErrorKind, Lang};

/// A border color for each advice, in the middle between light and dark pages.
pub(in super::super) const ADVICE_COLORS: [(&str, &str); 5] = [
    ("never", "#d1495b"),
    ("backoff", "#2f81c7"),
    ("after_refresh", "#8a63d2"),
    ("after_stream", "#1b9e8a"),
    ("after_reset", "#c98500"),
];

pub(super) fn render(diagnosis: &Diagnosis, lang: Lang) -> String {
    let words = words(lang);
    // Writing into a string cannot fail.
    let mut out = String::from("flowchart TD\n");
    let mut last = String::new();
    let mut node = |out: &mut String, id: String, label: &str, class: &str, edge: &str| {
        let _ = writeln!(out, "  {id}[\"{label}\"]{class}");
        if !last.is_empty() {
            let _ = writeln!(out, "  {last} {edge} {id}");
        }
        last = id;
    };
    for (number, step) in diagnosis.path().iter().enumerate() {
        let (label, class) = match (step, diagnosis.error()) {
            (Step::Kind(kind), Some(error)) => {
                (lines([kind.name(), kind.message(lang)]), format!(":::{}", error.advice().name()))
            }
            _ => (escape(&step.to_string()), String::new()),
        };
        node(&mut out, format!("path_{number}"), &label, &class, "-->");
    }
    let Some(error) = diagnosis.error() else {
        node(&mut out, "success".to_owned(), &escape(words.success), "", "-->");
        return out;
    };
    let advice = advice_in_full(error.advice(), lang);
    node(&mut out, "advice".to_owned(), &lines([words.advice, &advice]), "", "-->");
    for (number, remedy) in (1..).zip(diagnosis.remedies(lang)) {
        // Not `1. `, which Mermaid takes for a Markdown list and refuses to draw.
        let label = format!("({number}) {}", escape(remedy));
        node(&mut out, format!("remedy_{number}"), &label, "", "-->");
    }
    let escalate = lines([words.persists, words.escalate]);
    node(&mut out, "persists".to_owned(), &escalate, "", "-.->");
    let mut causes = escape(words.causes);
    for cause in diagnosis.causes(lang) {
        let _ = write!(causes, "<br/>· {}", escape(cause));
    }
    let kind = diagnosis.path().len().saturating_sub(1);
    let _ = writeln!(out, "  causes[\"{causes}\"]\n  path_{kind} -.- causes");
    classes(&mut out);
    out
}

/// Appends the class of each advice.
pub(in super::super) fn classes(out: &mut String) {
    for (name, color) in ADVICE_COLORS {
        let _ = writeln!(out, "  classDef {name} stroke:{color},stroke-width:2px");
    }
}

/// Returns the class of a kind's node.
pub(in super::super) fn class(kind: ErrorKind) -> &'static str {
    kind.advice().name()
}

/// Joins escaped lines into a label.
pub(in super::super) fn lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    lines.into_iter().map(escape).collect::<Vec<_>>().join("<br/>")
}

/// Returns `text` as it may stand between the quotes of a label: Mermaid's entity codes for what
/// would end the label or be read as markup.
pub(in super::super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '&' => out.push_str("#amp;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '`' => out.push_str("#96;"),
            '\\' => out.push_str("#92;"),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}
