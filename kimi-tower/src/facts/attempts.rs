//! What `retry` tells.

use super::Facts;
use crate::retry::Stop;

pub(super) struct Attempts {
    attempts: u32,
    stop: Option<Stop>,
}

impl Facts {
    /// Returns how many attempts were made, the first included; 0 if the request was refused before.
    /// Known when the answer's head is there, or when nobody waits for it any more.
    #[must_use]
    pub fn attempts(&self) -> Option<u32> {
        self.0.attempts.get().map(|told| told.attempts)
    }

    /// Returns why a request that failed was not tried, or not again; `None` if it has not failed,
    /// or nobody waited for what would become of it.
    #[must_use]
    pub fn retry_stop(&self) -> Option<Stop> {
        self.0.attempts.get()?.stop
    }

    pub(crate) fn tell_attempts(&self, attempts: u32, stop: Option<Stop>) {
        self.0.attempts.get_or_init(|| Attempts { attempts, stop });
    }
}
