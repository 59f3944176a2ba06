use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs an observer. If it panics, where a second panic would end the process, that is not the
/// request's business.
#[inline]
pub(super) fn tell(observe: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(observe)) else { return };
    // To drop it runs a stranger's code, which may panic in turn.
    std::mem::forget(payload);
    // So may whoever hears of it, which can be the very observer.
    let said = || tracing::error!("an observer of requests has panicked");
    if let Err(again) = catch_unwind(said) {
        std::mem::forget(again);
    }
}
