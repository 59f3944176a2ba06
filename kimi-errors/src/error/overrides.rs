//! What an error says beyond its kind.

use crate::RetryAdvice;

/// What a kind alone does not say of an error, and its answer's head must.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Overrides {
    pub(crate) errcode: Option<i32>,
    pub(crate) status: Option<u16>,
    /// Of another name; a time stands in the head's other fields.
    pub(crate) advice: Option<RetryAdvice>,
}

/// Returns whether an HTTP status is that of an error.
pub(crate) const fn is_error_status(status: u16) -> bool {
    400 <= status && status <= 599
}
