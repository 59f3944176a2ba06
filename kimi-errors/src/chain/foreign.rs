//! What the errors of optional crates stand for.

use std::error::Error as StdError;

use super::{Verdict, downcast};
#[cfg(any(feature = "hyper", feature = "tower"))]
use crate::ErrorKind;

pub(super) fn verdict(cause: &(dyn StdError + 'static)) -> Option<Verdict> {
    #[cfg(feature = "tonic")]
    if let Some(status) = downcast::<tonic::Status>(cause) {
        return Some(Verdict::Sure(crate::tonic::read(status)));
    }
    #[cfg(feature = "tower")]
    {
        use tower::{load_shed::error::Overloaded, timeout::error::Elapsed};

        if downcast::<Elapsed>(cause).is_some() {
            return Some(Verdict::Sure(ErrorKind::Timeout.into()));
        }
        // Not the model's engine is overloaded, we are: it is the answer of a service that cannot
        // take more now.
        if downcast::<Overloaded>(cause).is_some() {
            return Some(Verdict::Sure(ErrorKind::Unavailable.into()));
        }
    }
    #[cfg(feature = "hyper")]
    {
        if downcast::<http_body_util::LengthLimitError>(cause).is_some() {
            return Some(Verdict::Sure(ErrorKind::PayloadTooLarge.into()));
        }
        if let Some(error) = downcast::<h2::Error>(cause) {
            return h2_verdict(error);
        }
        if let Some(error) = downcast::<hyper::Error>(cause) {
            return Some(hyper_verdict(error));
        }
    }
    None
}

#[cfg(feature = "hyper")]
fn hyper_verdict(error: &hyper::Error) -> Verdict {
    if error.is_timeout() {
        Verdict::Sure(ErrorKind::Timeout.into())
    } else if error.is_user() {
        // The body or service that we handed to hyper failed, and its cause says how.
        Verdict::Vague(ErrorKind::System)
    } else {
        // Also `is_canceled`: the connection went away before the request was sent. Nobody asked
        // for that, so it is not `Cancelled`, and trying again helps.
        Verdict::Vague(ErrorKind::BadGateway)
    }
}

/// As gRPC maps them (its `PROTOCOL-HTTP2.md`, "Errors"), but for `INADEQUATE_SECURITY`, which is
/// the connection's fault and not the caller's.
#[cfg(feature = "hyper")]
fn h2_verdict(error: &h2::Error) -> Option<Verdict> {
    if error.is_io() {
        // The next cause.
        return None;
    }
    let Some(reason) = error.reason() else { return Some(Verdict::Vague(ErrorKind::System)) };
    let kind = match reason {
        h2::Reason::REFUSED_STREAM => ErrorKind::Unavailable,
        h2::Reason::NO_ERROR if error.is_go_away() => ErrorKind::Unavailable,
        h2::Reason::ENHANCE_YOUR_CALM => ErrorKind::RateLimited,
        h2::Reason::CANCEL => ErrorKind::Cancelled,
        _ => ErrorKind::BadGateway,
    };
    Some(Verdict::Sure(kind.into()))
}
