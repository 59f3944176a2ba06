//! What can go wrong: one kind for each thing a caller would do differently.

mod catalogue;
mod grpc_code;
mod remedies;

pub use self::{catalogue::ErrorKind, grpc_code::GrpcCode};

use std::fmt;

use crate::Lang;

/// Whose turn it is to act on an error.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is wrong: whoever wrote it changes it.
    Caller,
    /// The credential or the conversation is in the wrong state: renew it, or wait for it.
    Session,
    /// A limit or a balance is used up: slow down, wait for the reset, or pay.
    Quota,
    /// The service behind us failed: try again later.
    Upstream,
    /// We failed: read our log.
    Us,
}

impl Fault {
    /// Returns the word for this side in `lang`.
    #[must_use]
    pub const fn label(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Caller, Lang::Zh) => "调用方",
            (Self::Caller, Lang::En) => "caller",
            (Self::Session, Lang::Zh) => "会话",
            (Self::Session, Lang::En) => "session",
            (Self::Quota, Lang::Zh) => "额度",
            (Self::Quota, Lang::En) => "quota",
            (Self::Upstream, Lang::Zh) => "上游",
            (Self::Upstream, Lang::En) => "upstream",
            (Self::Us, Lang::Zh) => "本服务",
            (Self::Us, Lang::En) => "us",
        }
    }
}

impl ErrorKind {
    /// Returns the kind that owns an errcode of the article; `None` for any other number.
    ///
    /// ```
    /// use kimi_errors::ErrorKind;
    ///
    /// assert_eq!(ErrorKind::from_errcode(-2005), Some(ErrorKind::StreamBusy));
    /// assert_eq!(ErrorKind::from_errcode(7), None);
    /// ```
    #[must_use]
    pub fn from_errcode(errcode: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.owns_errcode() && kind.errcode() == errcode)
    }

    /// Returns the kind of a [`name`](Self::name), such as `stream_busy`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Returns whether the article gives this kind an errcode of its own, rather than lending it
    /// the one with which a client that knows only the article does the right thing.
    #[must_use]
    pub const fn owns_errcode(self) -> bool {
        matches!(
            self,
            Self::System
                | Self::Validation
                | Self::RouteNotFound
                | Self::ParamsInvalid
                | Self::RequestFailed
                | Self::TokenExpired
                | Self::FileUrlInvalid
                | Self::FileTooLarge
                | Self::StreamBusy
                | Self::ResearchLimit
                | Self::Test
        )
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
