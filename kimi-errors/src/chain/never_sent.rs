//! Whether an error proves that a request did not reach its service.

use std::{error::Error as StdError, io};

use super::{causes, downcast};
use crate::Error;

/// Returns whether the error of a call proves that the service did not act on the request, so that
/// to send it again cannot have a second effect.
///
/// The outermost cause that decides is the one that counts, and whoever is unsure answers `false`:
///
/// | cause | proof | why |
/// |---|---|---|
/// | feature `hyper-util`: `client::legacy::Error`, `is_connect` | yes | its connector failed, or no connection of the pool was left |
/// | feature `hyper-util`: the same, otherwise | as its cause | |
/// | feature `hyper`: `hyper::Error`, `is_canceled`, but not of an upgrade | yes | no connection took the request: hyper makes it of one that it still holds |
/// | feature `hyper`: `hyper::Error`, whose cause is the `h2::Error` below | yes | |
/// | feature `hyper`: `hyper::Error`, any other | no | a connection is under way; an error of the request's own body, whatever *its* cause, among them |
/// | feature `hyper`: `h2::Error`, `REFUSED_STREAM` that was received | yes | "closed prior to any processing having occurred", RFC 9113 §8.7 |
/// | feature `hyper`: `h2::Error`, any other | no | see below |
/// | feature `tower`: `load_shed::error::Overloaded` | yes | the service was not ready and was not called |
/// | [`io::Error`], `ConnectionRefused`, of the system itself and with nothing but [`Error`]s around it | yes | nobody listens: a connection that exists is reset instead, RFC 9293 §3.10.7; but see the caveats |
/// | [`Error`], [`io::Error`] with another error inside, and what is not known here | as its cause | |
/// | anything else, or nothing | no | |
///
/// `reqwest` 0.12 and 0.13 have the error of `hyper-util`'s client as their cause.
///
/// What could be taken for a proof and is none:
///
/// - `GOAWAY`. Streams above its last one were not processed (RFC 9113 §6.8), and theirs is the
///   error that `h2` gives to them. But it gives the same to everybody who asks for readiness
///   afterwards, and hyper asks once more after it has sent the head, so that a request under way
///   can end with it, too.
/// - Host and network unreachable, network down, not connected, reset, broken pipe. Linux reports
///   the first two of a connection that exists as well, when it gives up on what it sent
///   (`tcp(7)`, RFC 1122 §4.2.3.9); the others are for connections only.
/// - Time-outs, of which a connector's own is proof only in the first row.
///
/// # Caveats
///
/// Give it what a *call* failed with: not the error of a connection, which says nothing about one
/// request, and not that of an answer's body. A client that sends more than one request for a call
/// reports the last. `reqwest` follows redirects unless told not to, and can fail to connect to
/// the second place after the first has acted; so build it with `redirect::Policy::none()`.
///
/// Linux keeps the "port unreachable" that a firewall sends about a connection that exists, and
/// may report it as `ConnectionRefused` when it gives up on what it sent, after minutes (RFC 1122
/// §4.2.3.9, RFC 5461 §4). The clients above tell connecting from all that comes after; a service
/// of one's own that writes to sockets should wrap the errors of an open connection, in any type.
///
/// ```
/// use std::io;
///
/// use kimi_errors::{Error, chain::is_never_sent};
///
/// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
/// assert!(is_never_sent(&Error::from(refused)));
///
/// let reset = io::Error::from(io::ErrorKind::ConnectionReset);
/// assert!(!is_never_sent(&Error::from(reset)));
/// ```
#[must_use]
pub fn is_never_sent(error: &(dyn StdError + 'static)) -> bool {
    // What a stranger wraps may be the failure of the request's body, which only hyper tells from
    // that of the connection.
    let mut is_among_strangers = false;
    for cause in causes(error) {
        if let Some(error) = downcast::<io::Error>(cause) {
            if error.get_ref().is_none() {
                return error.kind() == io::ErrorKind::ConnectionRefused && !is_among_strangers;
            }
        } else if let Some(proof) = foreign(cause) {
            return proof;
        } else if downcast::<Error>(cause).is_none() && !is_pointer(cause) {
            is_among_strangers = true;
        }
    }
    false
}

/// An [`Arc`](std::sync::Arc) is its content, and says nothing of its own.
fn is_pointer(cause: &(dyn StdError + 'static)) -> bool {
    cause.is::<std::sync::Arc<dyn StdError + Send + Sync>>()
}

/// Returns what the error of an optional crate proves; `None` if its cause may know.
fn foreign(cause: &(dyn StdError + 'static)) -> Option<bool> {
    #[cfg(feature = "tower")]
    if downcast::<tower::load_shed::error::Overloaded>(cause).is_some() {
        return Some(true);
    }
    #[cfg(feature = "hyper-util")]
    if let Some(error) = downcast::<hyper_util::client::legacy::Error>(cause) {
        return error.is_connect().then_some(true);
    }
    #[cfg(feature = "hyper")]
    {
        if let Some(error) = downcast::<hyper::Error>(cause) {
            return Some(is_untaken(error) || is_refused_below(error));
        }
        if let Some(error) = downcast::<h2::Error>(cause) {
            return Some(is_refused(error));
        }
    }
    #[cfg(not(any(feature = "hyper", feature = "tower")))]
    let _ = cause;
    None
}

/// `OnUpgrade` fails with a cancellation as well, long after the request was sent, and has a private
/// cause, so that the others are named: a text, or the error for which the connection ended.
#[cfg(feature = "hyper")]
fn is_untaken(error: &hyper::Error) -> bool {
    let is_known = |cause: &(dyn StdError + 'static)| {
        let texts = ["connection closed", "connection was not ready"];
        cause.is::<hyper::Error>() || texts.contains(&cause.to_string().as_str())
    };
    error.is_canceled() && error.source().is_some_and(is_known)
}

/// Of a body that fails, hyper has the body's error as cause, which may be another connection's.
#[cfg(feature = "hyper")]
fn is_refused_below(error: &hyper::Error) -> bool {
    let h2 = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    !error.is_user() && h2.is_some_and(is_refused)
}

/// Only one that was received. When the request's body fails with an error of `h2`, of the
/// connection that it comes from, hyper resets the stream with that error's reason: the same
/// `REFUSED_STREAM`, but ours, and of a request that was sent.
#[cfg(feature = "hyper")]
fn is_refused(error: &h2::Error) -> bool {
    error.is_reset() && error.is_remote() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
}
