//! Streams whose tokens are estimated, and settled when they have ended or were cut.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{key, quota};
use crate::rate_limit::{
    Costs, MAX_RULES, Moment, Rule, SlidingWindow,
    engine::tests::Random,
    store::{Ask, Grant, Verdict, shard::Answer, table::Table},
};

const TOKENS: u32 = 1_000_000;

/// How long the longest stream is, in nanoseconds.
const LONGEST: u64 = 40_000_000_000;

struct Stream {
    grant: Grant,
    used: u32,
}

/// Lets streams come and go; each reserves what `estimate` makes of its true cost. Returns when how
/// many tokens were truly used, as of the start of each.
fn run(estimate: impl Fn(&Random, u32) -> u32) -> Vec<(u64, u32)> {
    let random = Random::new(31);
    let rule = Rule::tokens(SlidingWindow::try_with_sub_windows(quota(TOKENS, 60), 60).unwrap());
    let table = Table::new(&rule.into(), 10);
    let (mut now, mut most) = (1_000_000_000_000, 0);
    let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut streams: Vec<Stream> = Vec::new();
    let mut used = Vec::new();
    for _ in 0..100_000 {
        now += random.within(0, 5_000_000);
        while running.peek().is_some_and(|Reverse((end, _))| *end <= now) {
            let Some(Reverse((end, index))) = running.pop() else { break };
            let stream = &streams[index];
            let mut costs = [0; MAX_RULES];
            costs[0] = stream.used;
            table.settle(Moment::from_nanos(end), &stream.grant, &Costs(costs));
        }
        let cost = random.units(1, 400);
        let mut ask = Ask::new(key(1), 0, Costs::default());
        ask.costs.0[0] = estimate(&random, cost);
        let Answer::Verdict(Verdict::Admitted(grant)) = table.ask(Moment::from_nanos(now), &ask)
        else {
            continue;
        };
        // One in five is cut somewhere, perhaps before its first token.
        let is_cut = random.one_in(5);
        let cost = if is_cut { random.units(0, cost) } else { cost };
        used.push((grant.at.as_nanos(), cost));
        let end = now + random.within(0, LONGEST);
        running.push(Reverse((end, streams.len())));
        streams.push(Stream { grant, used: cost });
        most = most.max(running.len());
    }
    assert!(most >= 1_000, "{most}");
    used
}

/// The most that was used in any trailing minute.
fn most_in_a_minute(used: &[(u64, u32)]) -> u64 {
    let (mut first, mut sum, mut most) = (0, 0, 0);
    for (at, tokens) in used {
        sum += u64::from(*tokens);
        while used[first].0 + 60_000_000_000 <= *at {
            sum -= u64::from(used[first].1);
            first += 1;
        }
        most = most.max(sum);
    }
    most
}

#[test]
fn what_is_reserved_in_full_is_never_over_in_any_minute() {
    let used = run(|random, cost| cost + random.units(0, 400));
    let most = most_in_a_minute(&used);
    assert!(most <= TOKENS.into(), "{most}");
    // And what is not used is given back: little is wasted.
    assert!(most > u64::from(TOKENS) * 8 / 10, "{most}");
}

#[test]
fn what_is_estimated_too_low_is_paid_back_so_that_it_is_not_over_for_long() {
    let used = run(|_, cost| cost.div_ceil(4));
    let (first, last) = (used[0].0, used[used.len() - 1].0);
    let sum: u64 = used.iter().map(|(_, tokens)| u64::from(*tokens)).sum();
    let minutes = (last - first).div_ceil(60_000_000_000);
    assert!(most_in_a_minute(&used) > TOKENS.into(), "else nothing was too low");
    // Those that run are over by what they have not told yet.
    assert!(sum <= minutes * u64::from(TOKENS) + 4 * u64::from(TOKENS), "{sum} in {minutes}");
}
