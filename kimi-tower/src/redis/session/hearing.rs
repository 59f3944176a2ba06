//! Whether a process hears what it is told.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::sync::Notify;

/// After how many beats that were not heard it is connected anew for hearing: 3, a lease. Ours: one
/// may be answered before it is heard.
const DEAF: u32 = 3;

/// Whether what is told is heard: each beat is told, too.
#[derive(Default)]
pub(super) struct Hearing {
    /// How many beats were answered since something was heard.
    unheard: AtomicU32,
    is_deaf: Notify,
}

impl Hearing {
    /// Something was heard, or it is connected anew.
    pub(super) fn has_heard(&self) {
        self.unheard.store(0, Relaxed);
    }

    /// A beat was answered.
    pub(super) fn has_beaten(&self) {
        if self.unheard.fetch_add(1, Relaxed) + 1 >= DEAF {
            self.is_deaf.notify_one();
        }
    }

    /// Waits until it is to be connected anew.
    pub(super) async fn deaf(&self) {
        // One that is told of may have been an earlier connection.
        while self.unheard.load(Relaxed) < DEAF {
            self.is_deaf.notified().await;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    #[test]
    fn whoever_does_not_hear_three_beats_is_deaf() {
        let hearing = Hearing::default();
        let is_deaf =
            || pin!(hearing.deaf()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        for _ in 1..DEAF {
            hearing.has_beaten();
        }
        assert!(!is_deaf());
        hearing.has_beaten();
        assert!(is_deaf());
        // It was told of the connection before.
        hearing.has_heard();
        assert!(!is_deaf());
    }
}
