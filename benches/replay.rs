//! What it costs that a request body can be had again.
//!
//! Subtract `bare`, which makes a body and reads it. `replay` drops the handle when the body has
//! been read, as one does that was answered well; `again` reads the body of a second attempt, too.
//! `whole` is there at once in one frame, `chunks` are two frames of a length that is not known.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::{
    convert::Infallible,
    hint::black_box,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http_body::{Body, Frame};
use http_body_util::Full;
use kimi_benches::{ROUNDS, drain};
use kimi_tower::replay::{Replay, ReplayBody, ReplayLimits};

/// Two frames, the second first.
struct Chunks([Option<Bytes>; 2]);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.0.iter_mut().rev().find_map(Option::take);
        Poll::Ready(next.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.0[0].is_none()
    }
}

/// Returns [`ROUNDS`] bodies; not measured. Their bytes share one count, as those do that were cut
/// from what a connection read.
fn bodies<B>(make: impl Fn(Bytes) -> B) -> Vec<B> {
    let bytes = Bytes::from(vec![b'x'; 2_048]);
    (0..ROUNDS).map(|_| make(bytes.clone())).collect()
}

fn whole() -> Vec<Full<Bytes>> {
    bodies(Full::new)
}

fn chunks() -> Vec<Chunks> {
    bodies(|bytes| Chunks([Some(bytes.clone()), Some(bytes)]))
}

#[library_benchmark]
#[bench::whole(whole())]
#[bench::chunks(chunks())]
fn bare<B: Body<Data = Bytes>>(bodies: Vec<B>) -> usize {
    bodies.into_iter().map(drain).sum()
}

#[library_benchmark]
#[bench::whole(whole())]
#[bench::chunks(chunks())]
fn once<B>(bodies: Vec<B>) -> usize
where
    B: Body<Data = Bytes, Error = Infallible> + Unpin,
{
    bodies.into_iter().map(|body| drain(ReplayBody::once(body))).sum()
}

#[library_benchmark]
#[bench::whole(whole())]
#[bench::chunks(chunks())]
fn replay<B>(bodies: Vec<B>) -> usize
where
    B: Body<Data = Bytes, Error = Infallible> + Unpin,
{
    let limits = ReplayLimits::new();
    let read = |body| {
        let (first, replay) = Replay::new(body, black_box(&limits));
        let read = drain(first);
        drop(black_box(replay));
        read
    };
    bodies.into_iter().map(read).sum()
}

#[library_benchmark]
#[bench::whole(whole())]
#[bench::chunks(chunks())]
fn again<B>(bodies: Vec<B>) -> usize
where
    B: Body<Data = Bytes, Error = Infallible> + Unpin,
{
    let limits = ReplayLimits::new();
    let read = |body| {
        let (first, replay) = Replay::new(body, black_box(&limits));
        let read = drain(first);
        read + black_box(replay).again().map_or(0, drain)
    };
    bodies.into_iter().map(read).sum()
}

library_benchmark_group!(name = bodies_had_again; benchmarks = bare, once, replay, again);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = bodies_had_again
);
