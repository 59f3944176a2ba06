//! The one error type: a kind, a public message, and what an answer needs to carry.

mod overrides;
mod received;
mod with;

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use serde_json::Value;

pub(crate) use self::overrides::{Overrides, is_error_status};
pub use self::received::Received;
use crate::{ErrorKind, Lang, RetryAdvice};

/// Any error that may travel between the services of a stack.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// An error of the Kimi chat API, whichever side of the wire it arose on.
///
/// One pointer wide, `Send + Sync + 'static`, and cheap to clone: a clone shares the original, so
/// that everybody who waited for one failed operation can be given its error.
///
/// What stands in the message, `data` and head fields is public. The [source](StdError::source)
/// is not: neither `Display`, nor `Debug`, nor any [`Dialect`](crate::Dialect) writes it.
///
/// ```
/// use kimi_errors::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::TokenExpired);
/// assert_eq!(error.errcode(), -2002);
/// assert_eq!(error.message(), "Token已失效");
/// assert_eq!(error.to_string(), "token_expired (-2002): Token已失效");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    lang: Lang,
    errcode: Option<i32>,
    status: Option<u16>,
    message: Option<Cow<'static, str>>,
    advice: Option<RetryAdvice>,
    retry_after: Option<Duration>,
    param: Option<Box<str>>,
    request_id: Option<Box<str>>,
    data: Option<Value>,
    received: Option<Received>,
    source: Option<Source>,
    #[cfg(feature = "http")]
    headers: http::HeaderMap,
}

/// The private cause of an error. Only the name of its type is ever written.
#[derive(Clone)]
struct Source {
    type_name: &'static str,
    error: Arc<dyn StdError + Send + Sync>,
}

impl Error {
    /// Creates an error of `kind` with the kind's own message, code and advice.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Arc::new(Inner {
            kind,
            lang: Lang::Zh,
            errcode: None,
            status: None,
            message: None,
            advice: None,
            retry_after: None,
            param: None,
            request_id: None,
            data: None,
            received: None,
            source: None,
            #[cfg(feature = "http")]
            headers: http::HeaderMap::new(),
        }))
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the `errcode` that this error is answered with.
    #[must_use]
    pub fn errcode(&self) -> i32 {
        self.0.errcode.unwrap_or_else(|| self.0.kind.errcode())
    }

    /// Returns the HTTP status that this error is answered with, 400 to 599.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status.unwrap_or_else(|| self.0.kind.status())
    }

    /// Returns the public message.
    #[must_use]
    pub fn message(&self) -> &str {
        self.message_in(self.0.lang)
    }

    /// Returns the public message; where none was set by hand, the kind's own in `lang`.
    #[must_use]
    pub fn message_in(&self, lang: Lang) -> &str {
        self.0.message.as_deref().unwrap_or_else(|| self.0.kind.message(lang))
    }

    /// Returns whether and when to try again.
    #[must_use]
    pub fn advice(&self) -> RetryAdvice {
        match self.0.advice.unwrap_or_else(|| self.0.kind.advice()) {
            RetryAdvice::Backoff { after: None } => {
                RetryAdvice::Backoff { after: self.0.retry_after }
            }
            advice => advice,
        }
    }

    /// Returns the least time to wait before trying again, if one is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.advice() {
            RetryAdvice::Backoff { after } => after,
            _ => self.0.retry_after,
        }
    }

    /// Returns the name of the parameter that is wrong.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        self.0.param.as_deref()
    }

    /// Returns the id of the request that failed.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the `data` of the envelope.
    #[must_use]
    pub fn data(&self) -> Option<&Value> {
        self.0.data.as_ref()
    }

    /// Returns what the upstream's answer said, if this error came from one.
    #[must_use]
    pub fn received(&self) -> Option<&Received> {
        self.0.received.as_ref()
    }

    /// Returns the fields that the answer's head must carry.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn headers(&self) -> &http::HeaderMap {
        &self.0.headers
    }

    /// Returns what is other than the kind's own.
    pub(crate) fn overrides(&self) -> Overrides {
        let advice = self.0.advice.filter(|advice| advice.name() != self.0.kind.advice().name());
        Overrides { errcode: self.0.errcode, status: self.0.status, advice }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_ref()?;
        Some(&*source.error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.kind(), self.errcode(), self.message())
    }
}

/// Writes what is public, and of the source only the name of its type.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("errcode", &self.errcode())
            .field("message", &self.message())
            .field("advice", &self.advice())
            .field("request_id", &self.request_id())
            .field("received", &self.received())
            .field("source", &self.0.source.as_ref().map(|source| source.type_name))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_pointer_wide_and_shareable() {
        fn shareable<T: Clone + Send + Sync + 'static>() {}
        shareable::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
    #[test]
    fn a_message_of_which_nothing_is_left_gives_way_to_the_kinds_own() {
        for blank in ["", " ", "\u{3000}", "\0\n", "\u{200b}"] {
            let error = Error::new(ErrorKind::StreamBusy).with_message(blank);
            assert_eq!(error.message(), "已有对话流正在输出", "{blank:?}");
        }
    }

    #[test]
    fn a_status_of_its_own_is_that_of_an_error() {
        let error = Error::new(ErrorKind::Timeout);
        assert_eq!(error.clone().with_status(408).status(), 408);
        assert_eq!(error.with_status(200).status(), 504);
    }
}
