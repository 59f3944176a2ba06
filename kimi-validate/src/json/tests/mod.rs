mod generate;
mod numbers;
mod properties;
mod strings;
mod syntax;

use super::{Fault, Scanner};
use crate::violation::Rule;

/// Reads a text that no table knows.
fn walk(text: &[u8]) -> Result<(), Fault> {
    let mut scanner = Scanner::new(text, crate::limits::MAX_DEPTH);
    scanner.value()?;
    scanner.skip()?;
    scanner.end()
}

/// Checks that reading ends at this offset, by this rule.
fn assert_fault(text: impl AsRef<[u8]>, at: usize, rule: Rule) {
    let text = text.as_ref();
    let shown = String::from_utf8_lossy(text);
    assert_eq!(walk(text), Err(Fault { at, rule }), "{shown}");
    assert!(!is_json(text), "serde_json takes {shown}");
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(text).is_ok()
}
