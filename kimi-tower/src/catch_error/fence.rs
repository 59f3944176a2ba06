//! Keeps panics and strange errors in: what comes out is an [`Error`].

use std::{
    any::{Any, type_name},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::{BoxError, Error, ErrorKind};
use pin_project_lite::pin_project;

/// Runs `work`; a panic becomes [`ErrorKind::System`].
///
/// `AssertUnwindSafe`: a future or body that panicked is dropped and never looked at again, so
/// that nobody sees it half changed. The service lives on, as its clones in other tasks do
/// anyway; what they share has to bear a panic of one of them with or without us.
#[inline]
pub(super) fn catch<T>(during: &'static str, work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| panicked(during, payload))
}

#[cold]
fn panicked(during: &'static str, payload: Box<dyn Any + Send>) -> Error {
    // The payload may quote a secret: it is for the panic hook, not for our log.
    tracing::warn!(during, kind = ErrorKind::System.name(), "a panic was caught");
    // Dropping it runs a stranger's code, which may panic in turn.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    Error::new(ErrorKind::System)
}

/// Returns the [`Error`] that is, or stands behind, an error of an inner service or body.
#[cold]
pub(super) fn known<E: Into<BoxError>>(error: E) -> Error {
    let error = Error::from(error.into());
    let kind = error.kind().name();
    if error.kind() == ErrorKind::System {
        // Its text may quote a secret; the name of its type does not.
        tracing::warn!(kind, error_type = type_name::<E>(), "an unknown error was caught");
    } else {
        tracing::debug!(kind, "an error was caught");
    }
    error
}

/// Drops what nobody looks at any more.
pub(super) fn discard<T>(unwanted: T) {
    let _ = catch("drop of the body", || drop(unwanted));
}

pin_project! {
    /// A body that fails with an [`Error`] whatever happens in it, and is dropped when it does.
    #[derive(Debug)]
    #[project = FencedProj]
    pub(super) enum Fenced<B> {
        Open {
            // Whether it panicked where it could not be dropped: under `&self`. In here, since it
            // takes no room beside the tag.
            panicked: AtomicBool,
            #[pin]
            body: B,
        },
        Closed,
    }
}

impl<B> Fenced<B> {
    pub(super) const fn new(body: B) -> Self {
        Self::Open { panicked: AtomicBool::new(false), body }
    }

    /// Drops the body.
    #[inline]
    pub(super) fn close(mut self: Pin<&mut Self>) {
        if matches!(*self, Self::Open { .. }) {
            // The answer is out: a panic now has nobody left to be told.
            let _ = catch("drop of the body", || self.set(Self::Closed));
        }
    }
}

/// Asks a body `question`; `None` if it panics, or did so before.
#[inline]
fn ask<T>(panicked: &AtomicBool, during: &'static str, question: impl FnOnce() -> T) -> Option<T> {
    if panicked.load(Ordering::Relaxed) {
        return None;
    }
    let answer = catch(during, question);
    if answer.is_err() {
        // Read by the thread that owns the body, which is then synchronized by other means.
        panicked.store(true, Ordering::Relaxed);
    }
    answer.ok()
}

impl<B> Body for Fenced<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let FencedProj::Open { panicked, body } = self.as_mut().project() else {
            return Poll::Ready(None);
        };
        let polled = if *panicked.get_mut() {
            Err(Error::new(ErrorKind::System))
        } else {
            catch("poll_frame", || body.poll_frame(cx))
        };
        let error = match polled {
            Ok(frame) => match ready!(frame) {
                Some(Ok(frame)) => return Poll::Ready(Some(Ok(frame))),
                Some(Err(error)) => known(error),
                None => return Poll::Ready(None),
            },
            Err(panic) => panic,
        };
        self.close();
        Poll::Ready(Some(Err(error)))
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Open { panicked, body } => {
                ask(panicked, "size_hint", || body.size_hint()).unwrap_or_default()
            }
            Self::Closed => SizeHint::with_exact(0),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match self {
            // After a panic there is an error to come.
            Self::Open { panicked, body } => {
                ask(panicked, "is_end_stream", || body.is_end_stream()).unwrap_or(false)
            }
            Self::Closed => true,
        }
    }
}
