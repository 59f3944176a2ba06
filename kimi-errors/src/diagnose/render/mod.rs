//! A diagnosis as a page for people, programs and drawings.

mod json;
pub(super) mod mermaid;
mod text;

use std::{fmt, str::FromStr};

use super::Diagnosis;
use crate::{Lang, UnknownName};

/// A form in which a [`Diagnosis`] is written.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// Lines for a terminal.
    #[default]
    Text,
    /// One JSON object, indented, with the same keys for every answer.
    Json,
    /// A Mermaid flowchart of the path taken.
    Mermaid,
}

impl Format {
    /// Every format, the default first.
    pub const ALL: &'static [Self] = &[Self::Text, Self::Json, Self::Mermaid];

    /// Returns the name: `text`, `json` or `mermaid`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Mermaid => "mermaid",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let known = Self::ALL.iter().copied().find(|format| format.name() == name);
        known.ok_or(UnknownName { expected: "text, json, mermaid" })
    }
}

impl Diagnosis {
    /// Writes the diagnosis in a format and a language; it ends in a line feed.
    ///
    /// ```
    /// use kimi_errors::{Lang, diagnose::{Format, diagnose}};
    ///
    /// let body = r#"{"errcode":-1002,"errmsg":"无匹配的路由","data":null}"#;
    /// let text = diagnose(Some(404), body.as_bytes()).render(Format::Text, Lang::En);
    /// assert!(text.starts_with(
    ///     "HTTP 404 → errcode -1002 (SYSTEM_NOT_ROUTE_MATCHING) → route_not_found\n"
    /// ));
    /// assert!(text.contains("1. check the path and its version; most often /v1 is missing\n"));
    /// ```
    ///
    /// As JSON; for a success `ok` is true, the lists are empty, and what only an error has is
    /// `null`:
    ///
    /// ```json
    /// {
    ///   "ok": false,
    ///   "lang": "en",
    ///   "path": [{"step": "http_status", "label": "HTTP 404"}, …],
    ///   "kind": "route_not_found",
    ///   "errcode": -1002,
    ///   "message": "no matching route",
    ///   "meaning": "no matching route",
    ///   "request_id": null,
    ///   "fault": "caller",
    ///   "advice": {"retry": "never", "after_ms": null, "at": null, "text": "do not retry unchanged"},
    ///   "causes": ["the path is wrong, or lacks a version such as /v1", …],
    ///   "remedies": ["check the path and its version; most often /v1 is missing", …],
    ///   "if_it_persists": "keep the status, the body, …"
    /// }
    /// ```
    #[must_use]
    pub fn render(&self, format: Format, lang: Lang) -> String {
        match format {
            Format::Text => text::render(self, lang),
            Format::Json => json::render(self, lang),
            Format::Mermaid => mermaid::render(self, lang),
        }
    }
}
