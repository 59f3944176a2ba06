use crate::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The default of [`ReplayLimits::with_max_bytes`]: 2 MiB. Kimi Code's documentation gives it as
/// the most that all messages of a request may weigh, images included.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The default of the [`ReplayBudget`]: 64 MiB. Ours: 32 of the largest requests, or thousands
/// of ordinary ones, are a small part of the memory of a machine that serves so many.
const BUDGET_BYTES: usize = 64 * 1024 * 1024;

/// How much is kept of request bodies, see the [module](super). Clones share the budget.
#[derive(Clone, Debug)]
pub struct ReplayLimits {
    max_bytes: usize,
    budget: ReplayBudget,
}

impl ReplayLimits {
    /// Creates the limits: 2 MiB for a request, and a budget of 64 MiB of its own.
    #[must_use]
    pub fn new() -> Self {
        Self { max_bytes: MAX_BYTES, budget: ReplayBudget::default() }
    }

    /// Sets the most that is kept of one request: bytes of its body, and of the names and values
    /// of its trailers. Default: 2 MiB, the most that Kimi Code's documentation lets all messages
    /// of a request weigh, images included.
    ///
    /// With 0 a body can still be had again until its first byte has been read.
    #[must_use]
    pub const fn with_max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets what bounds all requests together, which several limits may share. Default: 64 MiB,
    /// ours, for all that is made with this value and its clones.
    #[must_use]
    pub fn with_budget(mut self, budget: ReplayBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Returns the most that is kept of one request, in bytes.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Returns what bounds all requests together.
    #[must_use]
    pub const fn budget(&self) -> &ReplayBudget {
        &self.budget
    }
}

impl Default for ReplayLimits {
    /// As [`new`](Self::new) does.
    fn default() -> Self {
        Self::new()
    }
}

/// The memory that the records of all requests in flight may take together, see the
/// [module](super). Clones share it.
#[derive(Clone, Debug)]
pub struct ReplayBudget(Arc<Account>);

#[derive(Debug)]
struct Account {
    max_bytes: usize,
    /// Never more than `max_bytes`. `Relaxed`, since it orders nothing but itself: whoever
    /// reserves touches only memory of its own.
    in_use: AtomicUsize,
}

impl Account {
    #[inline]
    fn take(&self, bytes: usize) -> bool {
        let taken = self.in_use.fetch_update(Relaxed, Relaxed, |in_use| {
            in_use.checked_add(bytes).filter(|&wanted| wanted <= self.max_bytes)
        });
        taken.is_ok()
    }
}

impl ReplayBudget {
    /// Creates a budget of so many bytes. With 0 nothing is recorded.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self(Arc::new(Account { max_bytes, in_use: AtomicUsize::new(0) }))
    }

    /// Returns how many bytes are in use, as a metric of it would show.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.0.in_use.load(Relaxed)
    }

    /// Reserves nothing yet.
    #[inline]
    pub(super) fn reserved(&self) -> Reserved {
        Reserved { budget: self.clone(), bytes: 0 }
    }

    /// Reserves so many bytes, all or none.
    #[inline]
    pub(super) fn reserve(&self, bytes: usize) -> Option<Reserved> {
        self.0.take(bytes).then(|| Reserved { budget: self.clone(), bytes })
    }
}

impl Default for ReplayBudget {
    /// Creates a budget of 64 MiB. Ours: 32 of the largest requests, or thousands of ordinary ones.
    fn default() -> Self {
        Self::new(BUDGET_BYTES)
    }
}

/// What one record has reserved, given back on drop.
#[derive(Debug)]
pub(super) struct Reserved {
    budget: ReplayBudget,
    bytes: usize,
}

impl Reserved {
    /// Reserves `more` bytes, all or none.
    #[inline]
    pub(super) fn grow(&mut self, more: usize) -> bool {
        let is_free = self.budget.0.take(more);
        if is_free {
            self.bytes += more;
        }
        is_free
    }

    /// Moves `bytes` of what is reserved into a reservation of their own.
    pub(super) fn split(&mut self, bytes: usize) -> Self {
        debug_assert!(bytes <= self.bytes, "what is kept was reserved");
        self.bytes -= bytes;
        Self { budget: self.budget.clone(), bytes }
    }

    pub(super) fn split_all(&mut self) -> Self {
        self.split(self.bytes)
    }
}

impl Drop for Reserved {
    #[inline]
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.0.in_use.fetch_sub(self.bytes, Relaxed);
        }
    }
}
