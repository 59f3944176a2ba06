//! What an upstream's answer said about an error.

/// What an upstream's answer said about the error, before anything was made of it: for logs, and
/// for callers who know a code that this crate does not.
///
/// Built from its `Default`, field by field. [`Error::with_received`](crate::Error::with_received)
/// says which words are kept.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// The HTTP status of the answer; `None` for an error inside a stream.
    pub status: Option<u16>,
    /// The code, number or word: `-2001`, `40901`, `resource_exhausted`.
    pub code: Option<Box<str>>,
    /// The type or reason: `engine_overloaded_error`, `auth.token.invalid`.
    pub error_type: Option<Box<str>>,
}
