//! Why a turn can end before its request does.

use kimi_errors::{Error, ErrorKind, Lang, RetryAdvice};

/// Why a request lost its turn before its answer had ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Lost {
    /// A newer request of the same session took it: [`Policy::Supersede`](super::Policy::Supersede).
    Superseded,
    /// Others waited, and it had been held for the longest time that it may be.
    MaxHold,
    /// Others waited, and its reader had not asked for more of the answer for too long.
    Idle,
    /// The store could not be told in time that it still has it: see the feature `redis`.
    Lease,
}

impl Lost {
    /// Returns a stable name: `superseded`, `max_hold`, `idle` or `lease`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::MaxHold => "max_hold",
            Self::Idle => "idle",
            Self::Lease => "lease",
        }
    }

    /// What is left of the answer.
    pub(super) fn error(self, lang: Lang) -> Error {
        let (kind, zh, en) = match self {
            Self::Superseded => (
                ErrorKind::Cancelled,
                "该对话有了新的请求，本次回答已停止",
                "a newer request of this conversation has ended this answer",
            ),
            Self::MaxHold => (
                ErrorKind::Timeout,
                "本次回答占用对话的时间过长，已让给后面的请求",
                "this answer has kept its conversation for too long while others waited",
            ),
            Self::Idle => (
                ErrorKind::Cancelled,
                "回答长时间未被读取，已让给后面的请求",
                "this answer was not read for too long while others waited",
            ),
            Self::Lease => (
                ErrorKind::Unavailable,
                "无法确认本次回答仍占有该对话，回答已停止",
                "it could not be confirmed that this answer still has its conversation, so it has ended",
            ),
        };
        let error = Error::new(kind).with_lang(lang).with_advice(RetryAdvice::Never);
        error.with_message(match lang {
            Lang::En => en,
            _ => zh,
        })
    }
}
