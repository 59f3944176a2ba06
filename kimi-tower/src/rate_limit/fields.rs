//! What the heads of answers say of limits.
//!
//! ```text
//! ratelimit-policy: "requests";q=100;w=60, "tokens";q=2000000;w=60;qu="tokens"
//! ratelimit: "requests";r=99;t=1, "tokens";r=1991808;t=1
//! x-ratelimit-limit-requests: 100
//! x-ratelimit-remaining-requests: 99
//! x-ratelimit-reset-requests: 1s
//! ```

use std::{cmp::Reverse, fmt::Write as _, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use kimi_errors::Error;

use super::{Levels, Limit, Plan, Plans, Rule, Unit, line::Line, store::Refused};

const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// As OpenAI names them: limit, remaining, reset.
const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// For how many fields there is made room: two lists, and those of one unit, as most plans have it.
const FIELDS: usize = 5;

/// The longest list: four rules, each with a name of 32 bytes, two numbers and what stands between.
const LIST_BYTES: usize = 384;

/// The longest number of 32 bits.
const NUMBER_BYTES: usize = 10;

/// The longest time: three numbers and their units.
const TIME_BYTES: usize = 32;

/// What the heads of all answers say of one plan.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    rules: Arc<[Named]>,
    /// The value of `ratelimit-policy`.
    value: HeaderValue,
}

/// A rule, and the values that are the same in all answers.
#[derive(Clone, Debug)]
struct Named {
    rule: Rule,
    /// `"requests";r=`
    start: Box<str>,
    /// The value of `x-ratelimit-limit-…`.
    limit: HeaderValue,
}

/// Returns what the heads say of each plan.
pub(super) fn policies(plans: &Plans) -> Arc<[Policy]> {
    plans.iter().map(Policy::new).collect()
}

impl Policy {
    fn new(plan: &Plan) -> Self {
        let mut text = String::new();
        for rule in plan.rules() {
            let comma = if text.is_empty() { "" } else { ", " };
            let units = rule.limit().capacity();
            // Writing into a string cannot fail.
            let _ = write!(text, "{comma}\"{}\";q={units}", rule.name());
            let window = seconds(rule.limit().refill());
            if window > 0 {
                let _ = write!(text, ";w={window}");
            }
            if rule.unit() != Unit::Requests {
                let _ = write!(text, ";qu=\"{}\"", rule.unit().name());
            }
        }
        let value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
        let named = |rule: &Rule| Named {
            rule: *rule,
            start: format!("\"{}\";r=", rule.name()).into(),
            limit: HeaderValue::from(rule.limit().capacity()),
        };
        Self { rules: plan.rules().iter().map(named).collect(), value }
    }

    /// Adds the fields of an answer; `refused` if it is a refusal.
    pub(super) fn write(&self, levels: &Levels, refused: Option<&Refused>, to: &mut HeaderMap) {
        if levels.as_slice().is_empty() {
            return;
        }
        // At once, so that a map that is small does not grow on the way.
        to.reserve(FIELDS);
        // Lists, to which a layer inside may have written before.
        to.append(RATELIMIT_POLICY, self.value.clone());
        let mut text = Line::<LIST_BYTES>::new();
        for (index, (named, level)) in self.rules.iter().zip(levels.as_slice()).enumerate() {
            text.push(if index == 0 { b"" } else { b", " });
            text.push(named.start.as_bytes());
            text.push_number(level.remaining().into());
            text.push(b";t=");
            text.push_number(seconds(reset(index, level.reset(), refused)));
        }
        text.value().map(|value| to.append(RATELIMIT, value));
        for (unit, names) in [(Unit::Requests, &REQUESTS), (Unit::Tokens, &TOKENS)] {
            if let Some(index) = self.tightest(unit, levels, refused) {
                let (named, level) = (&self.rules[index], levels.as_slice()[index]);
                let [limit, remaining, reset_name] = names;
                to.insert(limit, named.limit.clone());
                let mut text = Line::<NUMBER_BYTES>::new();
                text.push_number(level.remaining().into());
                text.value().map(|value| to.insert(remaining, value));
                let mut text = Line::<TIME_BYTES>::new();
                text.push_time(seconds(reset(index, level.reset(), refused)));
                text.value().map(|value| to.insert(reset_name, value));
            }
        }
    }

    /// Adds the fields to an error, of which the answer will be made. Whoever is further inside has
    /// told why there is one, so that what it says of a unit stays.
    #[cold]
    pub(super) fn write_error(
        &self,
        levels: &Levels,
        refused: Option<&Refused>,
        error: Error,
    ) -> Error {
        let mut fields = HeaderMap::with_capacity(8);
        self.write(levels, refused, &mut fields);
        fields.into_iter().fold(error, |error, (name, value)| {
            let (Some(name), inner) = (&name, error.headers()) else { return error };
            let value = match inner.get(name) {
                None => value,
                Some(told) if [RATELIMIT, RATELIMIT_POLICY].contains(name) => {
                    let Some(both) = joined(told, &value) else { return error };
                    both
                }
                Some(_) => return error,
            };
            error.with_header(name.clone(), value)
        })
    }

    /// Returns the rule of a unit of which the least part is left, for the longest; the one that
    /// refuses, if it counts that unit.
    fn tightest(&self, unit: Unit, levels: &Levels, refused: Option<&Refused>) -> Option<usize> {
        let rules = self.rules.iter().zip(levels.as_slice()).enumerate();
        let left = |rule: &Rule, remaining: u32| {
            u64::from(remaining) * u64::from(u32::MAX) / u64::from(rule.limit().capacity())
        };
        let refuses = |index| refused.is_some_and(|refused| refused.rule == index);
        rules
            .filter(|(_, (named, _))| named.rule.unit() == unit)
            .min_by_key(|(index, (named, level))| {
                (!refuses(*index), left(&named.rule, level.remaining()), Reverse(level.reset()))
            })
            .map(|(index, _)| index)
    }
}

/// Returns two lists as one, since an error has one field of a name.
fn joined(inner: &HeaderValue, outer: &HeaderValue) -> Option<HeaderValue> {
    HeaderValue::from_bytes(&[inner.as_bytes(), b", ", outer.as_bytes()].concat()).ok()
}

/// Returns when a limit says that it is there again: the one that refuses, as `Retry-After` does.
fn reset(index: usize, reset: Duration, refused: Option<&Refused>) -> Duration {
    match refused {
        Some(refused) if refused.rule == index => refused.wait.unwrap_or(reset),
        _ => reset,
    }
}

/// Returns whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

impl Limit {
    /// Returns how long it takes until nothing is spent if all is.
    fn refill(&self) -> Duration {
        match self {
            Self::Gcra(gcra) => {
                let quota = gcra.quota();
                let nanos = quota.period().as_nanos() * u128::from(gcra.burst());
                let nanos = nanos / u128::from(quota.units());
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
            Self::SlidingWindow(window) => window.quota().period(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate_limit::{Gcra, Level, Quota};

    fn level(remaining: u32, millis: u64) -> Level {
        Level::new(remaining, Duration::from_millis(millis))
    }

    fn plan() -> Plan {
        let requests = Gcra::new(Quota::try_per_minute(100).unwrap());
        let tokens = Gcra::new(Quota::try_per_minute(2_000_000).unwrap());
        let daily = Gcra::new(Quota::try_per_day(10_000_000).unwrap());
        let daily = Rule::tokens(daily).try_named("daily").unwrap();
        let plan = Plan::new(Rule::requests(requests));
        plan.try_with(Rule::tokens(tokens)).unwrap().try_with(daily).unwrap()
    }

    fn levels(all: [Level; 3]) -> Levels {
        all.into_iter().collect()
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        headers.iter().map(line).collect()
    }

    #[test]
    fn a_success_tells_what_is_left() {
        let levels =
            levels([level(99, 600), level(1_000_000, 30_000), level(2_000_000, 69_120_000)]);
        let mut headers = HeaderMap::new();
        Policy::new(&plan()).write(&levels, None, &mut headers);
        assert_eq!(
            lines(&headers),
            [
                r#"ratelimit-policy: "requests";q=100;w=60, "tokens";q=2000000;w=60;qu="tokens", "daily";q=10000000;w=86400;qu="tokens""#,
                r#"ratelimit: "requests";r=99;t=1, "tokens";r=1000000;t=30, "daily";r=2000000;t=69120"#,
                "x-ratelimit-limit-requests: 100",
                "x-ratelimit-remaining-requests: 99",
                "x-ratelimit-reset-requests: 1s",
                "x-ratelimit-limit-tokens: 10000000",
                "x-ratelimit-remaining-tokens: 2000000",
                "x-ratelimit-reset-tokens: 19h12m0s",
            ]
        );
    }

    #[test]
    fn a_refusal_tells_when_to_come_again() {
        let levels = levels([level(0, 60_000), level(2_000_000, 0), level(10_000_000, 0)]);
        let refused = Refused::new(0, Some(Duration::from_millis(600)), levels.clone());
        let mut headers = HeaderMap::new();
        Policy::new(&plan()).write(&levels, Some(&refused), &mut headers);
        assert!(headers["ratelimit"].to_str().unwrap().starts_with(r#""requests";r=0;t=1, "#));
        assert_eq!(headers["x-ratelimit-reset-requests"], "1s");
    }

    #[test]
    fn a_burst_of_its_own_comes_back_in_a_time_of_its_own() {
        let gcra = Gcra::new(Quota::try_per_minute(60).unwrap()).try_with_burst(5).unwrap();
        let policy = Policy::new(&Rule::requests(gcra).into());
        assert_eq!(policy.value, r#""requests";q=5;w=5"#);
    }
}
