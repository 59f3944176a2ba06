//! What is wrong with a script, and where.

use std::{error::Error as StdError, fmt};

/// The error of a script that cannot be read or that contradicts itself.
///
/// ```text
/// steps[1].reset_at: excludes `cut_at`
/// JSON: unknown field `fautl`, expected one of … at line 3 column 10
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScriptError(Cause);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Cause {
    /// The text is not the named format, or not a script in it.
    Text { format: &'static str, reason: String },
    /// A step says what cannot be.
    Step { index: usize, field: &'static str, reason: String },
}

impl ScriptError {
    pub(super) fn text(format: &'static str, reason: &impl fmt::Display) -> Self {
        Self(Cause::Text { format, reason: reason.to_string() })
    }

    pub(super) fn step(index: usize, (field, reason): (&'static str, String)) -> Self {
        Self(Cause::Step { index, field, reason })
    }

    /// Returns the index of the wrong step, from 0; `None` if the text could not be read at all.
    #[must_use]
    pub fn step_index(&self) -> Option<usize> {
        match self.0 {
            Cause::Text { .. } => None,
            Cause::Step { index, .. } => Some(index),
        }
    }

    /// Returns the wrong field, such as `cut_at` or `raw.status`.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self.0 {
            Cause::Text { .. } => None,
            Cause::Step { field, .. } => Some(field),
        }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Text { format, reason } => write!(f, "{format}: {}", reason.trim_end()),
            Cause::Step { index, field, reason } => write!(f, "steps[{index}].{field}: {reason}"),
        }
    }
}

impl StdError for ScriptError {}
