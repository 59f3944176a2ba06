//! How a turn is told to end, wherever it is kept.

use std::{sync::Arc, task::Waker, time::Duration};

use super::{EndTurn, Lost};

/// How long a holder that was told to end may take to do so: 1 s, ours. After it the turn is taken,
/// since a future that nobody polls, though it was woken, does no work.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// How a holder is told to end, when nothing is locked.
#[must_use]
pub(crate) struct Notice {
    pub(crate) lost: Lost,
    pub(crate) waker: Option<Waker>,
    pub(crate) end: Option<Arc<dyn EndTurn>>,
}

impl Notice {
    /// Only when nothing is locked. Whoever is told runs the code of others.
    pub(crate) fn tell(self) {
        if let Some(end) = self.end {
            end.end(self.lost);
        }
        self.waker.into_iter().for_each(Waker::wake);
    }
}
