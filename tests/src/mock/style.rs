//! Whose wire form the successes have.

/// Who is imitated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// The Kimi platform: `chatcmpl-…`, usage in the last choice.
    Platform,
    /// kimi-free-api: the conversation as id, a segment id.
    FreeApi,
}
