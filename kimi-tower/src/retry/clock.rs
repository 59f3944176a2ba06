use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// The times of one request. Nothing is read or allocated before something has to be waited for.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// When the first attempt was first waited for, or had failed.
    start: Option<Instant>,
    /// When the running attempt was first waited for.
    attempt: Option<Instant>,
    // Boxed, since most answers of a test are there at once, and every future is moved.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Clock {
    /// Returns the time by which all must be over.
    pub(super) fn deadline(&mut self, limit: Option<Duration>) -> Option<Instant> {
        let limit = limit?;
        self.start.get_or_insert_with(Instant::now).checked_add(limit)
    }

    /// Returns the time by which the running attempt must be over.
    pub(super) fn attempt_deadline(&mut self, limit: Option<Duration>) -> Option<Instant> {
        let limit = limit?;
        self.attempt.get_or_insert_with(Instant::now).checked_add(limit)
    }

    /// Takes notice that an attempt begins.
    pub(super) fn begin_attempt(&mut self) {
        self.attempt = None;
    }

    /// Is ready at `at`, not before.
    pub(super) fn poll_until(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if alarm.deadline() != at {
            alarm.as_mut().reset(at);
        }
        alarm.as_mut().poll(cx)
    }
}

/// Returns the earlier of two times, of which either may be none.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_deadline_counts_from_the_first_question_and_an_attempt_s_anew() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        assert_eq!((clock.deadline(None), clock.attempt_deadline(None)), (None, None));
        assert_eq!(clock.deadline(Some(SECOND * 9)), Some(start + SECOND * 9));
        assert_eq!(clock.attempt_deadline(Some(SECOND)), Some(start + SECOND));
        tokio::time::advance(SECOND * 5).await;
        assert_eq!(clock.attempt_deadline(Some(SECOND)), Some(start + SECOND));
        clock.begin_attempt();
        assert_eq!(clock.deadline(Some(SECOND * 9)), Some(start + SECOND * 9));
        assert_eq!(clock.attempt_deadline(Some(SECOND)), Some(start + SECOND * 6));
        // A time that no clock can show is no limit.
        assert_eq!(clock.deadline(Some(Duration::MAX)), None);
    }

    #[test]
    fn of_two_times_the_earlier_counts_if_there_are_two() {
        let now = Instant::now();
        let later = now + SECOND;
        assert_eq!(earlier(Some(now), Some(later)), Some(now));
        assert_eq!(earlier(Some(later), Some(now)), Some(now));
        assert_eq!(earlier(None, Some(later)), Some(later));
        assert_eq!(earlier(Some(later), None), Some(later));
        assert_eq!(earlier(None, None), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_alarm_can_be_put_off_and_is_never_early() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        let mut poll =
            |at| clock.poll_until(at, &mut Context::from_waker(std::task::Waker::noop()));
        assert!(poll(start + SECOND).is_pending());
        assert!(poll(start + SECOND * 2).is_pending());
        tokio::time::advance(SECOND).await;
        assert!(poll(start + SECOND * 2).is_pending());
        tokio::time::advance(SECOND + Duration::from_millis(1)).await;
        assert!(poll(start + SECOND * 2).is_ready());
    }
}
