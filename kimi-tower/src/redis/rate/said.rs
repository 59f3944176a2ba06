//! What the script answers.

use std::time::Duration;

use ::redis::Value;

/// What `ask.lua` answers. Points in time are microseconds since 1970 by the server's clock.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) what: What,
    pub(super) now: u64,
    /// When it is admitted; `None` for never.
    pub(super) at: Option<u64>,
    pub(super) batch: u32,
    pub(super) rule: usize,
    /// Two for each rule.
    pub(super) states: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum What {
    Refused,
    Admitted,
    Waits,
}

impl Said {
    /// Reads an answer; `None` if it is none.
    pub(super) fn read(value: Value) -> Option<Self> {
        let Value::Array(values) = value else { return None };
        let mut numbers = Vec::with_capacity(values.len());
        for value in values {
            let Value::Int(number) = value else { return None };
            numbers.push(number);
        }
        let &[what, now, at, batch, rule, ref states @ ..] = numbers.as_slice() else {
            return None;
        };
        Some(Self {
            what: match what {
                0 => What::Refused,
                1 => What::Admitted,
                2 => What::Waits,
                _ => return None,
            },
            now: u64::try_from(now).ok()?,
            at: u64::try_from(at).ok(),
            batch: u32::try_from(batch).ok()?,
            rule: usize::try_from(rule).ok()?,
            states: states.iter().map(|state| u64::try_from(*state).unwrap_or(0)).collect(),
        })
    }

    /// Returns how long it is until it is admitted.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.at.map(|at| Duration::from_micros(at.saturating_sub(self.now)))
    }
}
