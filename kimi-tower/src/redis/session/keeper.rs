//! What is done for all turns and places of a process, by one task.

use std::{collections::VecDeque, future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use ::redis::{Msg, aio::PubSub};
use futures_core::Stream;
use tokio::{
    select,
    sync::{Notify, mpsc},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    hearing::Hearing,
    said::{Leased, Seat, Word},
    table::Table,
    wire::Wire,
};
use crate::{random::Random, redis::LinkError, session::Lost, sync::Lock};

/// How many are given back, or leased again, in one call: 256, ours, so that a call is short.
const BATCH: usize = 256;

/// How many that were given back are remembered while Redis does not answer: 4096, ours. The leases
/// of others run out.
const KEPT: usize = 4096;

/// How long Redis may take to let this process hear: 1 s, ours.
const SUBSCRIBE: Duration = Duration::from_secs(1);

pub(super) struct Keeper {
    pub(super) table: Arc<Lock<Table>>,
    pub(super) wire: Wire,
    pub(super) usable: Duration,
    pub(super) random: Arc<Random>,
    pub(super) changed: Arc<Notify>,
    /// Weak, since the keeper ends when its store has gone.
    pub(super) outbox: mpsc::WeakUnboundedSender<Seat>,
    pub(super) hearing: Hearing,
}

/// Works until the store is dropped, and what it has given back was sent.
pub(super) async fn run(keeper: Keeper, inbox: mpsc::UnboundedReceiver<Seat>) {
    let beating = Notify::new();
    select! {
        () = keeper.give_back(inbox) => {}
        () = keeper.beat(&beating) => {}
        () = keeper.expire(&beating) => {}
        () = keeper.listen() => {}
    }
}

impl Keeper {
    /// Leases the turns again, each third of a lease, and sooner where that has failed.
    async fn beat(&self, beating: &Notify) {
        let lease = self.wire.lease();
        loop {
            if !self.table.lock().is_busy() {
                beating.notified().await;
                // Whoever has just asked has sent a beat with it.
                sleep(lease / 3).await;
                continue;
            }
            let pause = match self.beat_once().await {
                Ok(()) => lease / 3,
                Err(_) => (lease / 20).max(Duration::from_millis(10)),
            };
            sleep(pause).await;
        }
    }

    async fn beat_once(&self) -> Result<(), LinkError> {
        let leases = self.table.lock().leases(Instant::now());
        let mut left = &leases[..];
        loop {
            let (some, rest) = left.split_at(left.len().min(BATCH));
            let sent = Instant::now();
            let leased = self.wire.beat(some).await?;
            for ((seat, _), leased) in some.iter().zip(leased) {
                let until = (leased != Leased::No).then_some(sent + self.usable);
                let notice = self.table.lock().leased(seat.ticket, until, Instant::now());
                notice.into_iter().for_each(|notice| notice.tell());
                if let Leased::Told(word) = leased {
                    self.hear(word, *seat);
                }
            }
            if rest.is_empty() {
                self.hearing.has_beaten();
                return Ok(());
            }
            left = rest;
        }
    }

    /// Ends what has had its time. It waits for no call.
    async fn expire(&self, beating: &Notify) {
        loop {
            let now = Instant::now();
            let due = self.table.lock().due(now);
            due.notices.into_iter().for_each(|notice| notice.tell());
            due.taken.into_iter().for_each(|seat| self.leave(seat));
            let next = due.next.unwrap_or(now + self.wire.lease());
            select! {
                () = self.changed.notified() => beating.notify_one(),
                () = sleep_until(next) => {}
            }
        }
    }

    /// Tells Redis of what was given back, many at once. Ends when nobody can give back any more.
    async fn give_back(&self, mut inbox: mpsc::UnboundedReceiver<Seat>) {
        let mut kept = VecDeque::<(Seat, Instant)>::new();
        let mut some = Vec::new();
        loop {
            if kept.is_empty() {
                if inbox.recv_many(&mut some, BATCH).await == 0 {
                    return;
                }
            } else {
                while some.len() < KEPT
                    && let Ok(seat) = inbox.try_recv()
                {
                    some.push(seat);
                }
            }
            let now = Instant::now();
            // After two leases nothing is left to be given back.
            let over = now + self.wire.lease() * 2;
            kept.extend(some.drain(..).map(|seat| (seat, over)));
            kept.drain(..kept.len().saturating_sub(KEPT));
            kept.retain(|(_, over)| *over > now);
            let count = kept.len().min(BATCH);
            if self.wire.leave(kept.iter().take(count).map(|(seat, _)| seat)).await.is_ok() {
                kept.drain(..count);
            } else if inbox.is_closed() {
                return;
            } else {
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Hears what others tell, and connects again when that ends, or when it hears nothing though it
    /// should. What is not heard meanwhile, those who wait find by themselves, and those who have
    /// turns are told with the beat.
    async fn listen(&self) {
        let mut pause = Duration::from_millis(50);
        loop {
            if let Ok(Some(heard)) = timeout(SUBSCRIBE, self.subscribe()).await {
                pause = Duration::from_millis(50);
                self.table.lock().places().for_each(Notify::notify_one);
                let mut heard = heard.into_on_message();
                self.hearing.has_heard();
                while let Some(message) = select! {
                    message = next(&mut heard) => message,
                    () = self.hearing.deaf() => None,
                } {
                    self.hearing.has_heard();
                    if let Ok(text) = message.get_payload::<String>()
                        && let Some((word, seat)) = Word::parse(&text)
                    {
                        self.hear(word, seat);
                    }
                }
            }
            sleep(pause + self.random.up_to(pause)).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    async fn subscribe(&self) -> Option<PubSub> {
        let mut heard = self.wire.link().client().get_async_pubsub().await.ok()?;
        heard.subscribe(self.wire.channel()).await.ok()?;
        Some(heard)
    }

    fn hear(&self, word: Word, seat: Seat) {
        let (now, ticket) = (Instant::now(), seat.ticket);
        let mut table = self.table.lock();
        if !table.knows(ticket) {
            drop(table);
            // It was given up, which Redis does not know.
            self.leave(seat);
            return;
        }
        let notice = match word {
            Word::Granted | Word::Look => {
                table.place(ticket).into_iter().for_each(Notify::notify_one);
                None
            }
            Word::Superseded => table.tell(ticket, Lost::Superseded, now),
            Word::MaxHold => table.tell(ticket, Lost::MaxHold, now),
            Word::Idle(max_idle) => table.tell_idle(ticket, max_idle, now),
        };
        drop(table);
        if let Some(notice) = notice {
            notice.tell();
            // It is taken if it does not end.
            self.changed.notify_one();
        }
    }

    fn leave(&self, seat: Seat) {
        if let Some(outbox) = self.outbox.upgrade() {
            let _ = outbox.send(seat);
        }
    }
}

async fn next(heard: &mut (impl Stream<Item = Msg> + Unpin)) -> Option<Msg> {
    poll_fn(|cx| Pin::new(&mut *heard).poll_next(cx)).await
}
