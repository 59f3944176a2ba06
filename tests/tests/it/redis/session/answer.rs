use std::sync::{Arc, OnceLock};

use kimi_tower::{
    redis::session::RedisTurn,
    session::{EndTurn, Lost, store::SessionTurn as _},
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::LONG;

/// An answer that drops its turn when it is ended.
#[derive(Debug)]
pub(super) struct Answer {
    ended: Notify,
    pub(super) why: OnceLock<Lost>,
    idle_since: Option<Instant>,
}

impl Answer {
    pub(super) fn of(turn: &mut RedisTurn, idle_since: Option<Instant>) -> Arc<Self> {
        let answer = Arc::new(Self { ended: Notify::new(), why: <_>::default(), idle_since });
        assert_eq!(turn.set_end(answer.clone()), None);
        answer
    }

    pub(super) async fn end(&self) -> Lost {
        timeout(LONG, self.ended.notified()).await.expect("it is ended");
        *self.why.get().unwrap()
    }
}

impl EndTurn for Answer {
    fn end(&self, lost: Lost) {
        let _ = self.why.set(lost);
        self.ended.notify_one();
    }

    fn idle_since(&self) -> Option<Instant> {
        self.idle_since
    }
}
