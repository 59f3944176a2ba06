//! The code of observers, whose panics are not the request's business.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs what is told an observer. It may be told while the thread unwinds, where a second panic would
/// end the process.
#[inline]
pub(super) fn tell(observe: impl FnOnce()) {
    let _ = ask(observe);
}

/// Asks an observer; `None` if it panics.
#[inline]
pub(super) fn ask<T>(answer: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(answer)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            panicked(payload);
            None
        }
    }
}

#[cold]
fn panicked(payload: Box<dyn std::any::Any + Send>) {
    // To drop it runs a stranger's code, which may panic in turn.
    std::mem::forget(payload);
    // So may whoever hears of it, which can be the very observer.
    let said = || tracing::error!("an observer of requests has panicked");
    if let Err(again) = catch_unwind(said) {
        std::mem::forget(again);
    }
}
