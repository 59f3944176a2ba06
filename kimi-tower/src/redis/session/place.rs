use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    select,
    sync::Notify,
    time::{Instant, sleep},
};

use super::{
    OnError, RedisTurn,
    said::{Reply, Seat},
    shared::Shared,
    turn::{Counted, Leased},
};
use crate::session::{
    Lost,
    store::{Ask, Asked, MemoryTurn, Refused, SessionPlace, SessionStore},
};

/// After what time one who waits looks by itself, up to a quarter less: 1 s, ours.
const POLL: Duration = Duration::from_secs(1);

/// How much later those look who are not the first: up to 50 ms, ours, so that not all of them find
/// at once that a lease is over.
const LATER: Duration = Duration::from_millis(50);

/// What `ahead` is until it is known.
const UNKNOWN: usize = usize::MAX;

/// A place in the line of a session in a [`RedisSessionStore`](super::RedisSessionStore).
#[must_use]
pub struct RedisPlace {
    waiting: Pin<Box<dyn Future<Output = Result<RedisTurn, Refused>> + Send>>,
    ahead: Arc<AtomicUsize>,
}

/// One that waits in Redis, or may: given up on drop.
struct Waiter {
    shared: Arc<Shared>,
    seat: Seat,
    wake: Arc<Notify>,
    /// Whether Redis may know of it.
    is_known: bool,
}

impl RedisPlace {
    pub(super) fn new(counted: Counted, ask: Ask) -> Self {
        let ahead = Arc::new(AtomicUsize::new(UNKNOWN));
        let waiting = Box::pin(wait(counted, ask, Arc::clone(&ahead)));
        Self { waiting, ahead }
    }
}

impl SessionPlace for RedisPlace {
    type Turn = RedisTurn;

    /// # Panics
    ///
    /// If it was ready before.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<RedisTurn, Refused>> {
        self.waiting.as_mut().poll(cx)
    }

    fn ahead(&self) -> Option<usize> {
        Some(self.ahead.load(Relaxed)).filter(|ahead| *ahead != UNKNOWN)
    }
}

async fn wait(
    counted: Counted,
    ask: Ask,
    first_ahead: Arc<AtomicUsize>,
) -> Result<RedisTurn, Refused> {
    let shared = Arc::clone(&counted.shared);
    shared.ensure_keeper();
    let mut waiter = Waiter::new(Arc::clone(&shared), ask.key);
    let mut arrival = 0;
    loop {
        waiter.is_known = true;
        // Before it is sent: the lease begins when it arrives.
        let sent = Instant::now();
        let Ok(reply) = shared.wire.ask(waiter.seat, arrival, &ask).await else {
            drop(waiter);
            return fall_back(counted, ask, &first_ahead).await;
        };
        let (ahead, wait) = match reply {
            Reply::Granted(number) => {
                let until = sent + shared.usable();
                // What has come too late is asked for again: it leases the turn anew.
                if until <= Instant::now() {
                    continue;
                }
                let _ = first_ahead.compare_exchange(UNKNOWN, 0, Relaxed, Relaxed);
                let leased = waiter.hold(number, until);
                return with_local(counted, leased, &ask).await;
            }
            Reply::Waits { arrival: known, ahead, wait } => {
                arrival = known;
                (ahead, wait)
            }
            Reply::Full | Reply::Superseded => {
                waiter.is_known = false;
                let is_full = reply == Reply::Full;
                return Err(if is_full { Refused::Busy } else { Refused::Superseded });
            }
        };
        let _ = first_ahead.compare_exchange(UNKNOWN, ahead, Relaxed, Relaxed);
        let poll = POLL - shared.random.up_to(POLL / 4);
        let later = if ahead > 1 { shared.random.up_to(LATER) } else { Duration::ZERO };
        select! {
            () = waiter.wake.notified() => {}
            () = sleep(poll.min(wait + later)) => {}
            // Others have found it so.
            () = shared.wire.link().down() => {}
        }
    }
}

/// What becomes of one for whom Redis does not answer.
async fn fall_back(
    counted: Counted,
    ask: Ask,
    first_ahead: &AtomicUsize,
) -> Result<RedisTurn, Refused> {
    let shared = Arc::clone(&counted.shared);
    let local = match shared.on_error {
        OnError::Closed => return Err(Refused::Unavailable),
        OnError::Open => None,
        OnError::Local => match shared.memory.ask(&ask) {
            Asked::Granted(turn) => Some(turn),
            Asked::Refused(refused) => return Err(refused),
            Asked::Waits { mut place, ahead } => {
                let _ = first_ahead.compare_exchange(UNKNOWN, ahead, Relaxed, Relaxed);
                Some(poll_fn(|cx| place.poll_turn(cx)).await?)
            }
        },
    };
    let _ = first_ahead.compare_exchange(UNKNOWN, 0, Relaxed, Relaxed);
    Ok(RedisTurn::new(None, local, counted))
}

/// Waits for those of this process who have their turn without Redis, if there may be any.
async fn with_local(counted: Counted, leased: Leased, ask: &Ask) -> Result<RedisTurn, Refused> {
    let local = match leased.shared.on_error {
        OnError::Open | OnError::Closed => None,
        OnError::Local => Some(local(&leased, ask).await?),
    };
    Ok(RedisTurn::new(Some(leased), local, counted))
}

async fn local(leased: &Leased, ask: &Ask) -> Result<MemoryTurn, Refused> {
    // Who has the turn in Redis was let in there.
    let (max_waiting, max_sessions) = (usize::MAX, usize::MAX);
    let mut place = match leased.shared.memory.ask(&Ask { max_waiting, max_sessions, ..*ask }) {
        Asked::Granted(turn) => return Ok(turn),
        Asked::Refused(refused) => return Err(refused),
        Asked::Waits { place, .. } => place,
    };
    poll_fn(|cx| {
        if let Poll::Ready(lost) = leased.poll_lost(cx) {
            return Poll::Ready(Err(match lost {
                Lost::Superseded => Refused::Superseded,
                Lost::MaxHold | Lost::Idle => Refused::TooLate,
                Lost::Lease => Refused::Unavailable,
            }));
        }
        place.poll_turn(cx)
    })
    .await
}

impl Waiter {
    fn new(shared: Arc<Shared>, key: crate::key::Key) -> Self {
        let (seat, wake) = (shared.seat(key), Arc::<Notify>::default());
        shared.table.lock().await_turn(seat.ticket, Arc::clone(&wake));
        shared.has_changed();
        Self { shared, seat, wake, is_known: false }
    }

    /// Makes it a turn.
    fn hold(mut self, number: u64, until: Instant) -> Leased {
        // From here on it is the turn that gives back what Redis knows.
        self.is_known = false;
        let (shared, seat) = (Arc::clone(&self.shared), self.seat);
        shared.table.lock().hold(seat, number, until);
        shared.has_changed();
        Leased { shared, seat, number }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.shared.table.lock().leave_line(self.seat.ticket);
        if self.is_known {
            self.shared.leave(self.seat);
        }
    }
}

/// Shows nothing of the session.
impl fmt::Debug for RedisPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisPlace").field("ahead", &self.ahead()).finish_non_exhaustive()
    }
}
