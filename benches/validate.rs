//! What it costs to judge a chat request, beside the same work done by the peers; whether the cost
//! grows as the body does; and what a refusal costs.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::hint::black_box;

use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use kimi_benches::{
    bodies::{self, Body, Shape},
    peers::Judge,
};
use kimi_errors::{Dialect, Lang};
use kimi_validate::{ChatRequest, Profile};

/// A body, how often it is judged, and who judges it.
type Case = (Vec<u8>, usize, Judge);

fn case(body: Body, judge: Judge) -> Case {
    let text = body.text();
    assert!(judge.accepts(&text), "{} is well formed", body.name());
    (text, body.rounds(), judge)
}

/// Judges a body of the first kind. What is kept of it is dropped again.
fn judge((body, rounds, judge): &Case) -> usize {
    (0..*rounds).filter(|_| judge.accepts(black_box(body))).count()
}

macro_rules! by_everyone {
    ($name:ident, $body:ident $(, $article:ident)?) => {
        #[library_benchmark]
        #[bench::ignored(case(Body::$body, Judge::Ignored))]
        #[bench::tree(case(Body::$body, Judge::Tree))]
        #[bench::derive(case(Body::$body, Judge::Derive))]
        #[bench::sonic(case(Body::$body, Judge::Sonic))]
        #[bench::schema(case(Body::$body, Judge::schema()))]
        #[bench::garde(case(Body::$body, Judge::Garde))]
        $(#[bench::$article(case(Body::$body, Judge::Ours(Profile::article())))])?
        #[bench::platform(case(Body::$body, Judge::Ours(Profile::platform())))]
        fn $name(case: Case) -> (usize, Case) {
            (judge(&case), case)
        }
    };
}

by_everyone!(message, Message, article);
by_everyone!(conversation, Conversation, article);
by_everyone!(chinese, Chinese, article);
by_everyone!(escapes, Escapes, article);
by_everyone!(data_url, DataUrl);

macro_rules! tenfold {
    ($($name:ident: $shape:ident),* $(,)?) => {$(
        #[library_benchmark]
        #[bench::by_1(Shape::$shape.text(1))]
        #[bench::by_10(Shape::$shape.text(10))]
        #[bench::by_100(Shape::$shape.text(100))]
        fn $name(body: Vec<u8>) -> (bool, Vec<u8>) {
            (ChatRequest::parse(&body[..], &Profile::platform()).is_ok(), body)
        }
    )*};
}

tenfold!(
    of_chinese: Chinese,
    of_escapes: Escapes,
    of_data_url: DataUrl,
    of_messages: Messages,
    of_parts: Parts,
    of_calls: Calls,
    of_unknown: Unknown,
    of_nested: Nested,
    of_numbers: Numbers,
    of_faults: Faults,
    of_duplicates: Duplicates,
);

// From the bytes of a request to those of its refusal.
#[library_benchmark]
#[bench::bad_messages(bodies::bad_messages())]
#[bench::two_faults(bodies::two_faults())]
fn refuse(body: Vec<u8>) -> (usize, Vec<u8>) {
    let refused = ChatRequest::parse(&body[..], &Profile::platform()).err();
    let answer = refused.map(|it| Dialect::Errcode.body(&it.into_error(Lang::Zh)));
    (answer.map_or(0, |answer| answer.len()), body)
}

library_benchmark_group!(
    name = judged;
    benchmarks = message, conversation, chinese, escapes, data_url
);

library_benchmark_group!(
    name = tenfold;
    benchmarks =
        of_chinese, of_escapes, of_data_url, of_messages, of_parts, of_calls, of_unknown,
        of_nested, of_numbers, of_faults, of_duplicates
);

library_benchmark_group!(
    name = refused;
    benchmarks = refuse
);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = judged, tenfold, refused
);
