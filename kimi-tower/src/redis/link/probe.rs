//! The one task that connects.

use std::{
    sync::{Arc, Weak, atomic::Ordering::AcqRel},
    time::Duration,
};

use ::redis::{AsyncConnectionConfig, RedisResult};
use tokio::time::{sleep, timeout};

use super::{
    Shared,
    state::{Connection, State},
};

/// How long is waited between two probes: 10 ms at first, twice as long each time, 100 ms at most.
/// Ours: Redis is found again within 100 ms, and one probe is nothing to it.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// How long a probe may take. Ours: shorter than most time-outs would be no worse, but a Redis far
/// away has to be found, too.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);

/// Begins to probe, if nobody does. It ends when the link is up, or nobody has it any more.
pub(super) fn start(shared: &Arc<Shared>) {
    let is_probing = &shared.state.is_probing;
    // Cheap while somebody does: this is asked by every call that comes meanwhile.
    // Acquires and releases, so that the state is seen that the last probe has left.
    if is_probing.swap(true, AcqRel) {
        return;
    }
    let probing = Probing(Arc::downgrade(shared));
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => {
            runtime.spawn(probing.run());
        }
        // Whoever is on a runtime tries again.
        Err(_) => drop(probing),
    }
}

/// Gives the right to probe back, also when the runtime ends.
struct Probing(Weak<Shared>);

impl Probing {
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        while let Some(shared) = self.0.upgrade() {
            if matches!(*shared.state.borrow(), State::Up(..)) {
                return;
            }
            if let Ok(Ok(connection)) = timeout(PROBE_TIMEOUT, shared.connect(PROBE_TIMEOUT)).await
            {
                shared.state.found(connection);
                return;
            }
            shared.state.unreachable();
            // Not kept alive by a pause.
            drop(shared);
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }
}

impl Drop for Probing {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.state.is_probing.swap(false, AcqRel);
        }
    }
}

impl Shared {
    /// Connects, and asks whether Redis is ready to answer. A connection that answers nothing for
    /// this long is none.
    async fn connect(&self, timeout: Duration) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeout))
            // Each call has its own.
            .set_response_timeout(None);
        let mut connection =
            self.client.get_multiplexed_async_connection_with_config(&config).await?;
        ::redis::cmd("PING").exec_async(&mut connection).await?;
        Ok(connection)
    }
}
