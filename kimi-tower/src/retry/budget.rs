use crate::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// What one retry costs, so that deposits can be parts of it.
const RETRY: u32 = 100;

/// How many retries there may be, for all requests together: a bucket of tokens that is filled by
/// successes and emptied by retries. Clones share it.
///
/// Where everything fails it is soon empty, and each request is sent once; where some requests
/// fail, retries are at most the given part of the successes. Time alone fills nothing.
///
/// ```
/// use kimi_tower::retry::RetryBudget;
///
/// // 100 retries at first and at most, and one more for every second success.
/// let budget = RetryBudget::new(100, 50);
/// assert_eq!(budget.retries_left(), 100);
/// ```
#[derive(Clone, Debug)]
pub struct RetryBudget(Arc<Account>);

#[derive(Debug)]
struct Account {
    /// In hundredths of a retry.
    max: u32,
    /// What a success adds, in hundredths of a retry.
    deposit: u32,
    /// Never more than `max`. `Relaxed`, since it orders nothing but itself.
    balance: AtomicU32,
}

impl RetryBudget {
    /// Creates a full budget of so many retries, at most 42 949 672, to which each success adds
    /// `percent` of a retry.
    #[must_use]
    pub fn new(retries: u32, percent: u32) -> Self {
        let max = retries.saturating_mul(RETRY);
        Self(Arc::new(Account { max, deposit: percent, balance: AtomicU32::new(max) }))
    }

    /// Returns how many retries could begin now, as a metric of it would show.
    #[must_use]
    pub fn retries_left(&self) -> u32 {
        self.0.balance.load(Relaxed) / RETRY
    }

    /// Takes the price of one retry, if it is there.
    pub(super) fn withdraw(&self) -> Option<Withdrawal> {
        let taken =
            self.0.balance.fetch_update(Relaxed, Relaxed, |balance| balance.checked_sub(RETRY));
        taken.ok().map(|_| Withdrawal(Some(self.clone())))
    }

    /// Takes notice of a success.
    #[inline]
    pub(super) fn deposit(&self) {
        // Most of the time it is full, and then nothing is written that other threads read.
        if self.0.balance.load(Relaxed) < self.0.max {
            self.add(self.0.deposit);
        }
    }

    fn add(&self, amount: u32) {
        let max = self.0.max;
        let added = |balance: u32| Some(balance.saturating_add(amount).min(max));
        // It cannot fail: the closure never declines.
        let _ = self.0.balance.fetch_update(Relaxed, Relaxed, added);
    }
}

/// The price of a retry that has not begun: given back if it is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Withdrawal(Option<RetryBudget>);

impl Withdrawal {
    /// That of a retry which costs nothing.
    pub(super) const FREE: Self = Self(None);

    /// The retry begins.
    pub(super) fn spend(mut self) {
        self.0 = None;
    }
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        if let Some(budget) = &self.0 {
            budget.add(RETRY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_full_at_first_and_every_retry_takes_one() {
        let budget = RetryBudget::new(2, 50);
        budget.withdraw().unwrap().spend();
        budget.withdraw().unwrap().spend();
        assert!(budget.withdraw().is_none());
        assert_eq!(budget.retries_left(), 0);
    }

    #[test]
    fn successes_fill_it_by_their_part_and_not_past_its_size() {
        let budget = RetryBudget::new(1, 34);
        budget.withdraw().unwrap().spend();
        for is_there in [false, false, true] {
            budget.deposit();
            assert_eq!(budget.withdraw().is_some(), is_there);
        }
        for _ in 0..10 {
            budget.deposit();
        }
        assert_eq!(budget.retries_left(), 1);
    }

    #[test]
    fn what_was_taken_for_nothing_is_given_back() {
        let budget = RetryBudget::new(1, 0);
        drop(budget.withdraw());
        assert_eq!(budget.retries_left(), 1);
        budget.withdraw().unwrap().spend();
        assert_eq!(budget.retries_left(), 0);
    }

    #[test]
    fn sizes_at_the_edge_do_no_harm() {
        assert!(RetryBudget::new(0, u32::MAX).withdraw().is_none());
        let most = RetryBudget::new(u32::MAX, u32::MAX);
        most.withdraw().unwrap().spend();
        most.deposit();
        assert_eq!(most.retries_left(), u32::MAX / 100);
    }
}
