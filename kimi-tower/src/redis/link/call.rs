//! One call, and what its answer says of the link.

use ::redis::{RedisResult, Script, Value};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    LinkError, RedisLink, probe,
    state::{Connection, State},
};

impl RedisLink {
    /// Runs a script, by its hash if Redis knows it. Takes no longer than the time-out, and is to be
    /// called on a runtime of tokio with time and I/O.
    ///
    /// Where the time was up, the script may have been run all the same.
    ///
    /// # Errors
    ///
    /// [`LinkError`]: what there was instead of an answer.
    pub async fn call(
        &self,
        script: &Script,
        keys: &[String],
        args: &[impl ::redis::ToRedisArgs],
    ) -> Result<Value, LinkError> {
        self.call_until(Instant::now() + self.timeout, script, keys, args).await
    }

    /// As [`call`](Self::call), with another bound of time: what is asked in two calls has one. Where
    /// less than half of the time-out is left, no answer does not mean that Redis is away.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn call_until(
        &self,
        until: Instant,
        script: &Script,
        keys: &[String],
        args: &[impl ::redis::ToRedisArgs],
    ) -> Result<Value, LinkError> {
        let is_patient = until.saturating_duration_since(Instant::now()) >= self.timeout / 2;
        let connected = timeout_at(until, self.connected());
        let Ok(connected) = connected.await else {
            if is_patient {
                self.shared.state.unreachable();
            }
            return Err(LinkError::Timeout);
        };
        let (mut connection, age) = connected?;
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(key);
        }
        for arg in args {
            call.arg(arg);
        }
        let lost = self.shared.state.lost_since(age);
        let answer: RedisResult<Value> = tokio::select! {
            // An answer that is there counts, also when time is up.
            biased;
            answer = call.invoke_async(&mut connection) => answer,
            // It cannot come any more: whoever found that out has asked before.
            () = lost => return Err(LinkError::Lost),
            () = sleep_until(until) => {
                if is_patient {
                    self.lost(age, "no answer in time");
                }
                return Err(LinkError::Timeout);
            }
        };
        match answer.and_then(Value::extract_error) {
            Ok(value) => {
                self.shared.state.obeyed();
                Ok(value)
            }
            Err(error) if error.is_timeout() => {
                self.lost(age, "no answer in time");
                Err(LinkError::Timeout)
            }
            Err(error) if error.is_io_error() || error.is_unrecoverable_error() => {
                self.lost(age, "the connection is lost");
                Err(LinkError::Lost)
            }
            // Its name may lead to another by now, to which only a new connection comes.
            Err(error) if error.code() == Some("READONLY") => {
                self.lost(age, "it is a replica");
                Err(LinkError::Lost)
            }
            Err(error) => {
                // Its code alone: what else it says may be of a script's keys.
                self.shared.state.refused(error.code().unwrap_or("unknown"));
                Err(LinkError::Refused)
            }
        }
    }

    /// Returns the connection, made if there was none yet.
    async fn connected(&self) -> Result<(Connection, u64), LinkError> {
        if let Some(found) = self.shared.state.connection() {
            // Has somebody try again.
            let _ = self.is_down();
            return found;
        }
        let mut state = self.shared.state.subscribe();
        probe::start(&self.shared);
        let known = state.wait_for(|state| !matches!(state, State::New)).await;
        drop(known);
        self.shared.state.connection().unwrap_or(Err(LinkError::Down))
    }

    fn lost(&self, age: u64, why: &'static str) {
        if self.shared.state.lost(age, why) {
            probe::start(&self.shared);
        }
    }
}
