//! The rules of a plan over the words of one key, which stand one after the other.

use std::time::Duration;

use super::super::{Costs, Decision, Level, Levels, Moment, Rule};

/// What the rules of a plan say together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Said {
    Admitted,
    /// Which rule has the longest wait, and that; `None` stands for never, which is longer.
    Refused(usize, Option<Duration>),
}

impl Said {
    /// Returns what is said where nothing is admitted for `pause`, whatever the rules say.
    pub(super) fn after(self, pause: Duration) -> Self {
        match self {
            Self::Admitted => Self::Refused(0, Some(pause)),
            Self::Refused(rule, wait) => Self::Refused(rule, wait.map(|wait| wait.max(pause))),
        }
    }
}

/// Returns how many words the rules have.
pub(super) fn words(rules: &[Rule]) -> usize {
    rules.iter().map(|rule| rule.limit().words()).sum()
}

/// Decides, and charges all rules or none.
#[inline]
pub(super) fn decide(rules: &[Rule], state: &mut [u64], now: Moment, costs: &Costs) -> Said {
    // The one rule that most plans have says yes or no in one go.
    if let [rule] = rules {
        return longest([(0, rule.limit().decide(state, now, costs.of(0)))]);
    }
    let said = peek(rules, state, now, costs);
    if said == Said::Admitted {
        each(rules, state, |index, rule, words| {
            // It cannot refuse: it is what it was when it was asked, for nobody else has it.
            let _ = rule.limit().decide(words, now, costs.of(index));
        });
    }
    said
}

/// Returns what [`decide`] would say.
pub(super) fn peek(rules: &[Rule], state: &[u64], now: Moment, costs: &Costs) -> Said {
    let mut rest = state;
    longest(rules.iter().enumerate().map(|(index, rule)| {
        let words;
        (words, rest) = rest.split_at(rule.limit().words().min(rest.len()));
        (index, rule.limit().peek(words, now, costs.of(index)))
    }))
}

/// Decides at the first instant from `now` on that admits, and returns it; [`Moment::LAST`] if there
/// is none.
pub(super) fn admit(rules: &[Rule], state: &mut [u64], now: Moment, costs: &Costs) -> Moment {
    let at = match peek(rules, state, now, costs) {
        Said::Admitted => now,
        Said::Refused(_, Some(wait)) => now + wait,
        Said::Refused(_, None) => return Moment::LAST,
    };
    // After the wait that they have named all admit.
    let _ = decide(rules, state, at, costs);
    at
}

/// Does something to the words of each rule.
pub(super) fn each(
    rules: &[Rule],
    state: &mut [u64],
    mut change: impl FnMut(usize, &Rule, &mut [u64]),
) {
    let mut rest = state;
    for (index, rule) in rules.iter().enumerate() {
        let (words, others) = rest.split_at_mut(rule.limit().words().min(rest.len()));
        change(index, rule, words);
        rest = others;
    }
}

/// Returns how much of each rule is left.
pub(super) fn levels(rules: &[Rule], state: &[u64], now: Moment) -> Levels {
    each_level(rules, state, now).collect()
}

fn each_level(rules: &[Rule], state: &[u64], now: Moment) -> impl Iterator<Item = Level> {
    let mut rest = state;
    rules.iter().map(move |rule| {
        let words;
        (words, rest) = rest.split_at(rule.limit().words().min(rest.len()));
        rule.limit().level(words, now)
    })
}

/// Returns what [`levels`] says where nothing is spent.
pub(super) fn whole(rules: &[Rule]) -> Levels {
    rules.iter().map(|rule| Level::whole(rule.limit().capacity())).collect()
}

/// Returns whether nothing is spent, so that the state tells no more than a new one.
#[inline]
pub(super) fn is_whole(rules: &[Rule], state: &[u64], now: Moment) -> bool {
    let mut rest = state;
    rules.iter().all(|rule| {
        let words;
        (words, rest) = rest.split_at(rule.limit().words().min(rest.len()));
        rule.limit().is_whole(words, now)
    })
}

/// Returns how much is left of the rule of which the least is, in parts of 256 of what there can
/// be.
pub(super) fn least_left(rules: &[Rule], state: &[u64], now: Moment) -> u64 {
    let part = |(rule, level): (&Rule, Level)| {
        u64::from(level.remaining()) * 256 / u64::from(rule.limit().capacity())
    };
    rules.iter().zip(each_level(rules, state, now)).map(part).min().unwrap_or(0)
}

#[inline]
fn longest(decisions: impl IntoIterator<Item = (usize, Decision)>) -> Said {
    let mut said = Said::Admitted;
    for (index, decision) in decisions {
        let wait = match decision {
            Decision::Admitted => continue,
            Decision::Wait(wait) => Some(wait),
            Decision::Never => None,
        };
        let is_longer = match said {
            Said::Admitted => true,
            Said::Refused(_, None) => false,
            Said::Refused(_, Some(longest)) => wait.is_none_or(|wait| wait > longest),
        };
        if is_longer {
            said = Said::Refused(index, wait);
        }
    }
    said
}
