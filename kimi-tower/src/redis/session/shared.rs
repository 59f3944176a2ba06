//! What a store is for all its clones, turns and places.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{
    OnError,
    hearing::Hearing,
    keeper::{self, Keeper},
    said::Seat,
    table::Table,
    wire::Wire,
};
use crate::{
    random::Random,
    session::store::{MemoryStore, StoreId},
    sync::Lock,
};

pub(super) struct Shared {
    /// The lock is held for a few steps; when all turns are looked at, for a few for each of them.
    /// Nothing is locked inside it.
    pub(super) table: Arc<Lock<Table>>,
    pub(super) wire: Wire,
    pub(super) on_error: OnError,
    pub(super) random: Arc<Random>,
    pub(super) id: StoreId,
    /// The turns of this process, where [`OnError::Local`] has them.
    pub(super) memory: MemoryStore,
    next_ticket: AtomicU64,
    /// Its turns and places have changed, so that the keeper looks when there is something to do.
    changed: Arc<Notify>,
    task: Lock<Option<Task>>,
}

/// The keeper at work. It ends when this is dropped.
struct Task {
    handle: JoinHandle<()>,
    outbox: mpsc::UnboundedSender<Seat>,
}

impl Shared {
    pub(super) fn new(wire: Wire, on_error: OnError) -> Self {
        Self {
            table: Arc::new(Lock::new(Table::default())),
            wire,
            on_error,
            random: Arc::new(Random::from_system()),
            id: StoreId::new(),
            memory: MemoryStore::new(),
            next_ticket: AtomicU64::new(1),
            changed: Arc::default(),
            task: Lock::new(None),
        }
    }

    pub(super) fn seat(&self, key: crate::key::Key) -> Seat {
        Seat { key, ticket: self.next_ticket.fetch_add(1, Relaxed) }
    }

    /// For how long a turn is held that was leased by what was sent then. The tenth that is left is
    /// for clocks that do not go alike, and for what is to be ended.
    pub(super) fn usable(&self) -> Duration {
        self.wire.lease() / 10 * 9
    }

    /// Lets the keeper look.
    pub(super) fn has_changed(&self) {
        self.changed.notify_one();
    }

    /// Gives back a turn or a place, as soon as Redis can be told.
    pub(super) fn leave(&self, seat: Seat) {
        if let Some(task) = &*self.task.lock() {
            // Where it has ended, with its runtime, the lease runs out.
            let _ = task.outbox.send(seat);
        }
    }

    /// Starts the keeper on the runtime of whoever asks, if it is not at work.
    pub(super) fn ensure_keeper(&self) {
        let mut task = self.task.lock();
        if task.as_ref().is_some_and(|task| !task.handle.is_finished()) {
            return;
        }
        let (outbox, inbox) = mpsc::unbounded_channel();
        let keeper = Keeper {
            table: Arc::clone(&self.table),
            wire: self.wire.clone(),
            usable: self.usable(),
            random: Arc::clone(&self.random),
            changed: Arc::clone(&self.changed),
            outbox: outbox.downgrade(),
            hearing: Hearing::default(),
        };
        let handle = tokio::spawn(keeper::run(keeper, inbox));
        *task = Some(Task { handle, outbox });
    }
}
