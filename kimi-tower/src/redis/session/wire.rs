//! What is sent to Redis. The shapes stand at the head of each script.

use std::{sync::Arc, time::Duration};

use ::redis::{Script, Value};
use tokio::time::Instant;

use super::{
    clock::{ServerClock, micros},
    said::{Leased, Reply, Seat},
};
use crate::{
    key::Key,
    redis::{LinkError, RedisLink},
    session::store::Ask,
};

/// How often one asks who is told that it is late: 3, ours. The first does not know the server's clock;
/// another may come when that is set.
const TRIES: u32 = 3;

/// Sends for one process.
#[derive(Clone)]
pub(super) struct Wire(Arc<Inner>);

struct Inner {
    link: RedisLink,
    process: String,
    lease: Duration,
    clock: ServerClock,
    ask: Script,
    beat: Script,
    leave: Script,
}

impl Wire {
    pub(super) fn new(link: RedisLink, process: u64, lease: Duration) -> Self {
        let script = |own: &str| Script::new(&[include_str!("lua/common.lua"), own].concat());
        Self(Arc::new(Inner {
            link,
            process: format!("{process:016x}"),
            lease,
            clock: ServerClock::new(),
            ask: script(include_str!("lua/ask.lua")),
            beat: script(include_str!("lua/beat.lua")),
            leave: script(include_str!("lua/leave.lua")),
        }))
    }

    pub(super) fn link(&self) -> &RedisLink {
        &self.0.link
    }

    pub(super) fn lease(&self) -> Duration {
        self.0.lease
    }

    /// Returns the name of the channel of this process.
    pub(super) fn channel(&self) -> String {
        format!("{}{}", self.channels(), self.0.process)
    }

    /// Asks, or looks whether the turn has come if there is an arrival.
    pub(super) async fn ask(
        &self,
        seat: Seat,
        arrival: u64,
        ask: &Ask,
    ) -> Result<Reply, LinkError> {
        let [session, line] = self.session(seat.key);
        let keys = [session, line, self.beats(), self.epoch()];
        let room = i64::try_from(ask.max_waiting).unwrap_or(-1);
        let args = [
            self.member(seat),
            arrival.to_string(),
            self.lease_micros(),
            room.to_string(),
            u8::from(ask.supersedes).to_string(),
            optional(ask.max_hold.map(|it| it.as_micros())),
            optional(ask.max_idle.map(|it| it.as_millis())),
            self.channels(),
        ];
        let reply = self.timed(&self.0.ask, &keys, args.into()).await?;
        Reply::parse(&reply).ok_or(LinkError::Refused)
    }

    /// Says that the process is alive, and has these turns, each with its number.
    pub(super) async fn beat(&self, turns: &[(Seat, u64)]) -> Result<Vec<Leased>, LinkError> {
        let mut keys = vec![self.beats(), self.epoch()];
        let mut args = vec![self.0.process.clone(), self.lease_micros(), self.channels()];
        for (seat, number) in turns {
            keys.extend(self.session(seat.key));
            args.extend([self.member(*seat), number.to_string()]);
        }
        let reply = self.timed(&self.0.beat, &keys, args).await?;
        Ok(reply.iter().skip(2).map(Leased::parse).collect())
    }

    /// Gives back these turns and places.
    pub(super) async fn leave(&self, seats: impl Iterator<Item = &Seat>) -> Result<(), LinkError> {
        let mut keys = vec![self.beats(), self.epoch()];
        let mut args = vec![self.lease_micros(), self.channels()];
        for seat in seats {
            keys.extend(self.session(seat.key));
            args.push(self.member(*seat));
        }
        self.0.link.call(&self.0.leave, &keys, &args).await.map(drop)
    }

    /// Runs a script, which answers with a name and what time it is there. Its last argument says until
    /// when it is waited for: what Redis comes to later, when this has ended, changes nothing there.
    async fn timed(
        &self,
        script: &Script,
        keys: &[String],
        mut args: Vec<String>,
    ) -> Result<Vec<Value>, LinkError> {
        let Inner { link, clock, .. } = &*self.0;
        let (until, last) = (Instant::now() + link.timeout(), args.len());
        // Whoever does not know the server's clock, or not any more, asks once more.
        for _ in 0..TRIES {
            let sent = Instant::now();
            let left = until.saturating_duration_since(sent);
            // Never later than it is, so that nothing is done after the time is up.
            let now = clock.at_least(sent);
            args.truncate(last);
            args.push(now.map_or(0, |now| now.saturating_add(micros(left))).to_string());
            let reply = link.call_until(until, script, keys, &args).await?;
            let Value::Array(parts) = reply else { return Err(LinkError::Refused) };
            let Some(Value::Int(now)) = parts.get(1) else { return Err(LinkError::Refused) };
            clock.hear(u64::try_from(*now).unwrap_or(0), sent, Instant::now());
            if !matches!(&parts[0], Value::BulkString(name) if name == b"late") {
                return Ok(parts);
            }
        }
        Err(LinkError::Timeout)
    }

    fn session(&self, key: Key) -> [String; 2] {
        let hex = u128::from_be_bytes(key.to_bytes());
        ["session", "line"].map(|kind| self.name(&format!("{kind}:{hex:032x}")))
    }

    /// All names are in one slot of a cluster: `kimi:{session}:<rest>`. One beat is for many sessions.
    fn name(&self, rest: &str) -> String {
        format!("{}{{session}}:{rest}", self.0.link.prefix())
    }

    fn beats(&self) -> String {
        self.name("beats")
    }

    fn epoch(&self) -> String {
        self.name("epoch")
    }

    fn channels(&self) -> String {
        self.name("told:")
    }

    fn member(&self, seat: Seat) -> String {
        format!("{}.{}", self.0.process, seat.ticket)
    }

    fn lease_micros(&self) -> String {
        self.0.lease.as_micros().to_string()
    }
}

/// A length past what the scripts count exactly is without a bound.
fn optional(length: Option<u128>) -> String {
    length.filter(|it| *it < 1 << 52).map_or_else(|| "-1".into(), |it| it.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_without_end_is_no_number() {
        assert_eq!(optional(None), "-1");
        assert_eq!(optional(Some(30)), "30");
        assert_eq!(optional(Some(Duration::MAX.as_micros())), "-1");
    }
}
