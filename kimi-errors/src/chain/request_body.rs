//! What it means that the body of a request could not be read.

use std::{error::Error as StdError, io};

use super::find;
use crate::{BoxError, Error, ErrorKind};

impl Error {
    /// Finds the error that the failed body of a *request* stands for.
    ///
    /// `Error::from` would take a broken connection for the upstream's failure, which is worth
    /// another try. Here it is known whose body it is, so that nobody else can be at fault:
    ///
    /// | cause | kind |
    /// |---|---|
    /// | an [`Error`] | that error |
    /// | feature `hyper`: `LengthLimitError` of `http-body-util` | `PayloadTooLarge` |
    /// | [`io::Error`], an end, reset, close or time-out of the connection | `Cancelled` |
    /// | feature `hyper`: `hyper::Error`, the message is incomplete | `Cancelled` |
    /// | feature `hyper`: `h2::Error`, `CANCEL`, or a reset or `GOAWAY` that the client sent | `Cancelled` |
    /// | anything else: the framing or the coding is wrong | `Validation` |
    ///
    /// What was given stays as private source.
    ///
    /// ```
    /// use std::io;
    ///
    /// use kimi_errors::{Error, ErrorKind};
    ///
    /// let gone = Error::from_request_body(io::Error::from(io::ErrorKind::ConnectionReset));
    /// assert_eq!(gone.kind(), ErrorKind::Cancelled);
    /// ```
    #[must_use]
    pub fn from_request_body(error: impl Into<BoxError>) -> Self {
        let error = match error.into().downcast::<Self>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        if let Some(found) = find::<Self>(&*error) {
            return found.clone();
        }
        let kind = if is_too_large(&*error) {
            ErrorKind::PayloadTooLarge
        } else if is_gone(&*error) {
            ErrorKind::Cancelled
        } else {
            ErrorKind::Validation
        };
        Self::new(kind).with_boxed_source(error)
    }
}

#[cfg(feature = "hyper")]
fn is_too_large(error: &(dyn StdError + 'static)) -> bool {
    find::<http_body_util::LengthLimitError>(error).is_some()
}

#[cfg(not(feature = "hyper"))]
const fn is_too_large(_: &(dyn StdError + 'static)) -> bool {
    false
}

/// Returns whether the client has left, so that nobody is there to be told.
fn is_gone(error: &(dyn StdError + 'static)) -> bool {
    #[cfg(feature = "hyper")]
    {
        if find::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message) {
            return true;
        }
        let h2 = find::<h2::Error>(error);
        if h2.is_some_and(|it| it.is_remote() || it.reason() == Some(h2::Reason::CANCEL)) {
            return true;
        }
    }
    matches!(
        find::<io::Error>(error).map(io::Error::kind),
        Some(
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::NotConnected
                | io::ErrorKind::TimedOut
                | io::ErrorKind::UnexpectedEof
        )
    )
}
