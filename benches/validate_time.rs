//! How long it takes to judge a chat request, and to refuse one: medians, one line each, which
//! `benches/table.py` reads. They say something of the machine too, so nothing is asserted of them.

#![expect(clippy::disallowed_types, reason = "the time that passes is what is measured")]
#![expect(clippy::print_stdout, reason = "this is what the program is for")]

use std::{hint::black_box, time::Instant};

use kimi_benches::{
    bodies::{self, Body},
    peers::Judge,
};
use kimi_errors::{Dialect, Lang};
use kimi_validate::{ChatRequest, Profile};

/// How many times are taken, of which the median is told.
const SAMPLES: usize = 201;

fn main() {
    for body in Body::ALL {
        let text = body.text();
        let judges = [
            ("ignored", Judge::Ignored),
            ("tree", Judge::Tree),
            ("derive", Judge::Derive),
            ("sonic", Judge::Sonic),
            ("schema", Judge::schema()),
            ("garde", Judge::Garde),
            ("article", Judge::Ours(Profile::article())),
            ("platform", Judge::Ours(Profile::platform())),
        ];
        // The article knows no parts.
        for (name, judge) in judges.iter().filter(|(_, judge)| judge.accepts(&text)) {
            let nanos = median(65_536 / body.bytes(), || judge.accepts(&text));
            println!("judged {} {name} {nanos}", body.name());
        }
    }
    for (name, body) in
        [("bad_messages", bodies::bad_messages()), ("two_faults", bodies::two_faults())]
    {
        for (whose, profile) in [("article", Profile::article()), ("platform", Profile::platform())]
        {
            let bytes = refusal(&body, &profile);
            let nanos = median(1, || refusal(&body, &profile));
            println!("refused {name} {whose} {nanos} {bytes}");
        }
    }
}

/// From the bytes of a request to those of its refusal, whose count is returned.
fn refusal(body: &[u8], profile: &Profile) -> usize {
    let refused = ChatRequest::parse(body, profile).err();
    refused.map_or(0, |it| Dialect::Errcode.body(&it.into_error(Lang::Zh)).len())
}

/// The median of what one call takes, in nanoseconds. What is shorter than the clock can tell is
/// done many times in a row.
fn median<T>(in_a_row: usize, mut work: impl FnMut() -> T) -> u128 {
    let in_a_row = in_a_row.max(1);
    let mut sample = || {
        let started = Instant::now();
        for _ in 0..in_a_row {
            drop(black_box(work()));
        }
        started.elapsed().as_nanos() / in_a_row as u128
    };
    let mut samples: Vec<_> = (0..SAMPLES).map(|_| sample()).collect();
    samples.sort_unstable();
    samples[SAMPLES / 2]
}
