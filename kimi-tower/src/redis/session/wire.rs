//! What is sent to Redis, and what comes back. The shapes stand at the head of each script.

use std::{sync::Arc, time::Duration};

use ::redis::{Script, Value};
use tokio::time::Instant;

use super::clock::{ServerClock, micros};
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

/// Who has a turn or a place.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Seat {
    pub(super) key: Key,
    /// Of this process, and no other's.
    pub(super) ticket: u64,
}

/// What is answered to who asks.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Reply {
    Granted(u64),
    Waits {
        arrival: u64,
        ahead: usize,
        /// In what time something may change without a word.
        wait: Duration,
    },
    Full,
    Superseded,
}

/// What one process is told by another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Word {
    /// The turn has come.
    Granted,
    /// The place is to be looked at.
    Look,
    /// The turn is to end.
    Superseded,
    MaxHold,
    /// The turn is to end if its answer was not read for so long.
    Idle(Duration),
}

/// What is answered of a turn that was to be leased again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Leased {
    Again,
    /// It is leased again, and was told this, which may not have been heard.
    Told(Word),
    /// It is another's, or nobody's.
    No,
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
            let reply = link.call_within(left, script, keys, &args).await?;
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

impl Reply {
    fn parse(parts: &[Value]) -> Option<Self> {
        let number = |index: usize| match parts.get(index) {
            Some(Value::Int(number)) => u64::try_from(*number).ok(),
            _ => None,
        };
        let Value::BulkString(name) = parts.first()? else { return None };
        Some(match name.as_slice() {
            b"granted" => Self::Granted(number(2)?),
            b"waits" => Self::Waits {
                arrival: number(2)?,
                ahead: usize::try_from(number(3)?).ok()?,
                wait: Duration::from_micros(number(4)?),
            },
            b"full" => Self::Full,
            b"superseded" => Self::Superseded,
            _ => return None,
        })
    }
}

impl Word {
    /// Returns what is told, and to whom: `granted`, `look`, `superseded`, `max_hold` or `idle:30000`,
    /// in milliseconds, a ticket, and the 32 digits of a key. `beat` is told to nobody.
    pub(super) fn parse(text: &str) -> Option<(Self, Seat)> {
        let mut parts = text.split(' ');
        let word = Self::named(parts.next()?)?;
        let ticket = parts.next()?.parse().ok()?;
        let key = u128::from_str_radix(parts.next()?, 16).ok()?;
        let half = |bits| u64::try_from(bits & u128::from(u64::MAX)).ok();
        Some((word, Seat { key: Key([half(key >> 64)?, half(key)?]), ticket }))
    }

    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "granted" => Self::Granted,
            "look" => Self::Look,
            "superseded" => Self::Superseded,
            "max_hold" => Self::MaxHold,
            _ => Self::Idle(Duration::from_millis(word.strip_prefix("idle:")?.parse().ok()?)),
        })
    }
}

impl Leased {
    /// What is not understood is no lease.
    fn parse(value: &Value) -> Self {
        let told = |word| str::from_utf8(word).ok().and_then(Word::named);
        match value {
            Value::Int(1) => Self::Again,
            Value::BulkString(word) => told(word).map_or(Self::No, Self::Told),
            _ => Self::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_others_are_not() {
        let key = Key([0x0123_4567_89ab_cdef, 7]);
        let hex = "0123456789abcdef0000000000000007";
        assert_eq!(u128::from_be_bytes(key.to_bytes()), u128::from_str_radix(hex, 16).unwrap());
        let cases = [
            ("granted 7", Some((Word::Granted, 7))),
            ("look 0", Some((Word::Look, 0))),
            ("superseded 18446744073709551615", Some((Word::Superseded, u64::MAX))),
            ("max_hold 1", Some((Word::MaxHold, 1))),
            ("idle:30000 2", Some((Word::Idle(Duration::from_secs(30)), 2))),
            ("beat", None),
            ("idle:x 2", None),
            ("idle 2", None),
            ("granted", None),
            ("granted 7 x", None),
            ("granted -1", None),
            ("", None),
        ];
        for (text, word) in cases {
            let word = word.map(|(word, ticket)| (word, Seat { key, ticket }));
            assert_eq!(Word::parse(&format!("{text} {hex}")), word, "{text}");
            assert_eq!(Word::parse(text), None, "{text}");
        }
    }

    #[test]
    fn replies_are_read_and_others_are_not() {
        let reply = |name: &str, numbers: &[i64]| {
            let name = Value::BulkString(name.into());
            let numbers = [5].iter().chain(numbers).map(|it| Value::Int(*it));
            Reply::parse(&[name].into_iter().chain(numbers).collect::<Vec<_>>())
        };
        assert_eq!(reply("granted", &[7]), Some(Reply::Granted(7)));
        let wait = Duration::from_millis(2);
        let waits = Reply::Waits { arrival: 9, ahead: 1, wait };
        assert_eq!(reply("waits", &[9, 1, 2000]), Some(waits));
        assert_eq!(reply("full", &[]), Some(Reply::Full));
        assert_eq!(reply("superseded", &[]), Some(Reply::Superseded));
        for (name, numbers) in
            [("granted", &[][..]), ("granted", &[-1]), ("waits", &[9, 1]), ("", &[])]
        {
            assert_eq!(reply(name, numbers), None, "{name} {numbers:?}");
        }
        assert_eq!(Reply::parse(&[]), None);
    }

    #[test]
    fn a_turn_is_leased_if_it_is_said_to_be() {
        assert_eq!(Leased::parse(&Value::Int(1)), Leased::Again);
        let told = Leased::parse(&Value::BulkString("max_hold".into()));
        assert_eq!(told, Leased::Told(Word::MaxHold));
        for other in [Value::Int(0), Value::Nil, Value::BulkString("?".into())] {
            assert_eq!(Leased::parse(&other), Leased::No, "{other:?}");
        }
    }

    #[test]
    fn a_length_without_end_is_no_number() {
        assert_eq!(optional(None), "-1");
        assert_eq!(optional(Some(30)), "30");
        assert_eq!(optional(Some(Duration::MAX.as_micros())), "-1");
    }
}
