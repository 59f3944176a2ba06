//! What comes back from Redis, and what one process is told by another.

use std::time::Duration;

use ::redis::Value;

use crate::key::Key;

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

impl Reply {
    pub(super) fn parse(parts: &[Value]) -> Option<Self> {
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
    pub(super) fn parse(value: &Value) -> Self {
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
}
