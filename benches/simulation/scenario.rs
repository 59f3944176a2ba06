//! What happens in a minute.

use std::{ops::Range, time::Duration};

use super::client::Client;

/// How long requests are started, in virtual time.
const LENGTH: Duration = Duration::from_secs(60);
/// Between two requests: 100 a second.
const PAUSE: Duration = Duration::from_millis(10);

/// A minute of 100 requests a second.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scenario {
    /// Nothing fails.
    Healthy,
    /// So many percent of all attempts fail, each for itself.
    Failures(u8),
    /// Every attempt fails, for ever.
    Outage,
    /// Every attempt fails in the middle third of the minute.
    ShortOutage,
    /// The load doubles for ten seconds, and the origin takes 120 % of the usual one.
    Overload,
    /// Three gateways in a row, each of which tries again, and the origin fails for ever.
    Gateways,
}

/// What the origin does to attempts.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    /// How many of 100 attempts fail by chance.
    pub(super) failures: u64,
    /// When all fail.
    pub(super) outage: Range<Duration>,
    /// How many are let in within a second.
    pub(super) per_second: u32,
}

impl Scenario {
    /// All of them, in the order of the table's rows.
    pub(super) const ALL: [Self; 8] = [
        Self::Healthy,
        Self::Failures(10),
        Self::Failures(20),
        Self::Failures(30),
        Self::Outage,
        Self::ShortOutage,
        Self::Overload,
        Self::Gateways,
    ];

    /// Returns what stands before the row.
    pub(super) fn name(self) -> String {
        match self {
            Self::Healthy => "healthy".to_owned(),
            Self::Failures(percent) => format!("{percent} % fail"),
            Self::Outage => "outage".to_owned(),
            Self::ShortOutage => "20 s of outage".to_owned(),
            Self::Overload => "overload".to_owned(),
            Self::Gateways => "outage behind three gateways".to_owned(),
        }
    }

    /// Returns how many clients in a row try again.
    pub(super) const fn hops(self) -> u64 {
        match self {
            Self::Gateways => 3,
            Self::Healthy
            | Self::Failures(_)
            | Self::Outage
            | Self::ShortOutage
            | Self::Overload => 1,
        }
    }

    /// Returns what the origin does to attempts.
    pub(super) fn weather(self) -> Weather {
        let fair =
            Weather { failures: 0, outage: Duration::ZERO..Duration::ZERO, per_second: u32::MAX };
        match self {
            Self::Healthy => fair,
            Self::Failures(percent) => Weather { failures: percent.into(), ..fair },
            Self::Outage | Self::Gateways => {
                Weather { outage: Duration::ZERO..Duration::MAX, ..fair }
            }
            Self::ShortOutage => Weather { outage: middle(20), ..fair },
            Self::Overload => Weather { per_second: 120, ..fair },
        }
    }

    /// Returns when this client starts its requests, in order.
    pub(super) fn starts(self, client: Client) -> Vec<Duration> {
        // To every request the same happens here unless there is a budget: a second tells as much
        // as a minute, of which each request would be 64 attempts.
        let is_short = self == Self::Gateways && !client.has_budget();
        let length = if is_short { Duration::from_secs(1) } else { LENGTH };
        let mut starts = Vec::new();
        let mut at = Duration::ZERO;
        while at < length {
            starts.push(at);
            if self == Self::Overload && middle(10).contains(&at) {
                starts.push(at + PAUSE / 2);
            }
            at += PAUSE;
        }
        starts
    }
}

/// Returns the time from the 20th second on.
const fn middle(seconds: u64) -> Range<Duration> {
    Duration::from_secs(20)..Duration::from_secs(20 + seconds)
}
