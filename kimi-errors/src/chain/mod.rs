//! A typed cause, found in a chain of sources, and what an error of another crate means here.
//!
//! `Error::from(BoxError)`, so `?` on any boxed error, gives
//!
//! 1. the boxed [`Error`] itself, if it is one;
//! 2. a clone of the outermost [`Error`] in the chain of sources, with the boxed error as its source
//!    where the two differ in whether they prove that the request was
//!    [never sent](is_never_sent);
//! 3. else an error of the kind that the outermost cause below stands for, or, where that one is
//!    about a connection in general, the deepest; with the boxed error as its private source:
//!
//! | cause | kind |
//! |---|---|
//! | [`std::io::Error`], timed out | `Timeout` |
//! | [`std::io::Error`], refused, reset, aborted, closed or not connected | `BadGateway` |
//! | [`serde_json::Error`] | `Validation`, with line and column and none of its text |
//! | feature `hyper`: `LengthLimitError` of `http-body-util` | `PayloadTooLarge` |
//! | feature `hyper`: `hyper::Error`, timeout | `Timeout` |
//! | feature `hyper`: `hyper::Error`, our body or service | what its cause says, else `System` |
//! | feature `hyper`: `hyper::Error`, any other | what its cause says, else `BadGateway` |
//! | feature `hyper`: `h2::Error`, `REFUSED_STREAM` or a graceful `GOAWAY` | `Unavailable` |
//! | feature `hyper`: `h2::Error`, `ENHANCE_YOUR_CALM` | `RateLimited` |
//! | feature `hyper`: `h2::Error`, `CANCEL` | `Cancelled` |
//! | feature `hyper`: `h2::Error`, another reason | `BadGateway` |
//! | feature `tower`: `timeout::error::Elapsed` | `Timeout` |
//! | feature `tower`: `load_shed::error::Overloaded` | `Unavailable` |
//! | feature `tonic`: `tonic::Status` | its details', else its code's |
//! | anything else | `System` |
//!
//! # Caveats
//!
//! A cause does not say on which side it arose. `serde_json::Error` is taken for the caller's
//! mistake and a broken connection for the upstream's; where it is the other way round, say so with
//! [`Error::new`], or with [`Error::from_request_body`] if it is a request's body that failed. An
//! error that hides its cause from [`source`](StdError::source), as `anyhow`'s does with its
//! outermost one, is `System`.

#[cfg(any(feature = "hyper", feature = "tower", feature = "tonic"))]
mod foreign;
mod never_sent;
mod request_body;

use std::{error::Error as StdError, io, sync::Arc};

pub use self::never_sent::is_never_sent;
use crate::{BoxError, Error, ErrorKind, Lang};

/// How many causes are looked at. Chains of real errors have less than 10; a bound keeps an error
/// that names itself as its source from hanging us.
const MAX_DEPTH: usize = 32;

/// Returns the outermost `T` among an error and its causes, 32 of them at most.
///
/// Looks into what [`source`](StdError::source) leaves out: the error inside an
/// [`io::Error`], behind an [`Arc`], or in another [`Box`].
///
/// ```
/// use std::io;
///
/// use kimi_errors::{Error, ErrorKind, chain};
///
/// let busy = Error::new(ErrorKind::StreamBusy);
/// let wrapped = io::Error::other(busy);
/// let found: &Error = chain::find(&wrapped).ok_or("not there")?;
/// assert_eq!(found.kind(), ErrorKind::StreamBusy);
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn find<'a, T>(error: &'a (dyn StdError + 'static)) -> Option<&'a T>
where
    T: StdError + 'static,
{
    causes(error).find_map(downcast::<T>)
}

impl From<BoxError> for Error {
    /// Finds the error that a boxed one stands for; see the [table](crate::chain).
    fn from(error: BoxError) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        if let Some(found) = find::<Self>(&*error) {
            let found = found.clone();
            // A connector may fail with an error of ours, and so may the body of a request, which
            // another connection had given it. What is around it is then the evidence.
            if is_never_sent(&*error) != is_never_sent(&found) {
                return found.with_boxed_source(error);
            }
            return found;
        }
        meaning(&*error).with_boxed_source(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::from(BoxError::from(error))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::from(BoxError::from(error))
    }
}

/// What one cause says about the whole.
#[derive(Debug)]
enum Verdict {
    /// This is it.
    Sure(Error),
    /// This, unless a deeper cause says anything at all.
    Vague(ErrorKind),
}

fn meaning(error: &(dyn StdError + 'static)) -> Error {
    let mut vague = None;
    for cause in causes(error) {
        match verdict(cause) {
            Some(Verdict::Sure(error)) => return error,
            Some(Verdict::Vague(kind)) => vague = Some(kind),
            None => {}
        }
    }
    Error::new(vague.unwrap_or(ErrorKind::System))
}

fn verdict(cause: &(dyn StdError + 'static)) -> Option<Verdict> {
    if let Some(error) = downcast::<io::Error>(cause) {
        return connection(error.kind()).map(Verdict::Vague);
    }
    if let Some(error) = downcast::<serde_json::Error>(cause) {
        return Some(Verdict::Sure(json(error)));
    }
    #[cfg(any(feature = "hyper", feature = "tower", feature = "tonic"))]
    return foreign::verdict(cause);
    #[cfg(not(any(feature = "hyper", feature = "tower", feature = "tonic")))]
    None
}

/// `None` for what is not about a connection: it happened here, and is nobody's business.
fn connection(kind: io::ErrorKind) -> Option<ErrorKind> {
    match kind {
        io::ErrorKind::TimedOut => Some(ErrorKind::Timeout),
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => Some(ErrorKind::BadGateway),
        _ => None,
    }
}

/// The text of a JSON error can quote the body, so that only the place is passed on.
fn json(error: &serde_json::Error) -> Error {
    if let Some(kind) = error.io_error_kind() {
        return Error::new(connection(kind).unwrap_or(ErrorKind::System));
    }
    let invalid = Error::new(ErrorKind::Validation);
    if error.line() == 0 {
        // It comes from a value, not from a text.
        return invalid;
    }
    let message = ErrorKind::Validation.message(Lang::Zh);
    let (line, column) = (error.line(), error.column());
    invalid.with_message(format!("{message} (line {line}, column {column})"))
}

/// The error and its causes, outermost first.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error)).take(MAX_DEPTH)
}

fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    // These two name their content's source as theirs, and so skip the content.
    if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return Some(inner);
    }
    if let Some(inner) = error.downcast_ref::<Arc<dyn StdError + Send + Sync>>() {
        return Some(&**inner);
    }
    #[cfg(feature = "hyper")]
    if let Some(inner) = error.downcast_ref::<h2::Error>().and_then(h2::Error::get_io) {
        return Some(inner);
    }
    error.source()
}

fn downcast<'a, T>(error: &'a (dyn StdError + 'static)) -> Option<&'a T>
where
    T: StdError + 'static,
{
    error
        .downcast_ref::<T>()
        .or_else(|| error.downcast_ref::<Box<T>>().map(|inner| &**inner))
        .or_else(|| error.downcast_ref::<Arc<T>>().map(|inner| &**inner))
}

#[cfg(test)]
mod tests;
