//! The whole tree as a Mermaid flowchart.

use std::fmt::Write as _;

use super::{
    super::{
        render::mermaid::{class, classes, escape, lines},
        words::{advice, words},
    },
    tree,
};
use crate::Lang;

/// Returns the decision tree as a Mermaid flowchart, without the fence of a code block.
///
/// Borders are colored by advice. Ends in a line feed.
#[must_use]
pub fn mermaid(lang: Lang) -> String {
    let words = words(lang);
    // Writing into a string cannot fail.
    let mut out = format!("flowchart LR\n  start{{\"{}\"}}\n", escape(words.http_status));
    let _ = writeln!(out, "  start --> status_200[\"200\"]");
    let _ = writeln!(out, "  status_200 --> success[\"{}\"]", escape(words.success));
    let free_api = lines([words.error_in_200, words.error_in_200_reason]);
    let _ = writeln!(out, "  status_200 --> error_in_200[\"{free_api}\"]");
    for branch in tree() {
        let status = branch.status;
        let _ = writeln!(out, "  start --> status_{status}[\"{status}\"]");
        for twig in &branch.twigs {
            // A minus sign may not stand in an id.
            let id = format!("errcode_{status}_{}", twig.errcode.unsigned_abs());
            let _ = writeln!(out, "  status_{status} --> {id}[\"{}\"]", twig.errcode);
            for kind in twig.kinds.iter().copied() {
                let label = lines([kind.name(), kind.message(lang), advice(kind.advice(), lang)]);
                let _ = writeln!(out, "  {id} --> kind_{kind}[\"{label}\"]:::{}", class(kind));
            }
        }
    }
    classes(&mut out);
    out
}
