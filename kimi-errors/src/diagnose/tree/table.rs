//! The catalogue as a Markdown table.

use std::fmt::Write as _;

use super::super::words::{advice, words};
use crate::{ErrorKind, Lang};

/// Returns the catalogue as a Markdown table, a row for each kind in the catalogue's order.
///
/// A bold kind [owns](ErrorKind::owns_errcode) its errcode. Ends in a line feed.
#[must_use]
pub fn table(lang: Lang) -> String {
    let words = words(lang);
    let heads = [
        words.kind,
        words.errcode,
        words.http_status,
        words.message,
        words.advice,
        words.platform_type,
        words.grpc,
        words.constant,
    ];
    // Writing into a string cannot fail.
    let mut out = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for kind in ErrorKind::ALL.iter().copied() {
        let mark = if kind.owns_errcode() { "**" } else { "" };
        let _ = writeln!(
            out,
            "| {mark}`{kind}`{mark} | {} | {} | {} | {} | `{}` | {} `{}` | `{}` |",
            kind.errcode(),
            kind.status(),
            kind.message(lang),
            advice(kind.advice(), lang),
            kind.platform_type(),
            kind.grpc_code().number(),
            kind.grpc_code().name(),
            kind.constant(),
        );
    }
    out
}
