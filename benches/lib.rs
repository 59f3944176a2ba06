//! What the crates cost, beside the same work done by their peers.
//!
//! Instructions are counted by callgrind and allocations by DHAT, since neither depends on what
//! else the machine is doing. Run with
//!
//! ```sh
//! cargo install --locked gungraun-runner --version 0.20.0   # and valgrind from the distribution
//! cargo bench -p kimi-benches
//! ```
//!
//! Every benchmark does its work [`ROUNDS`] times, so that what only the first call pays does not
//! show; divide by it. The numbers are in `benches/README.md`.

pub mod bodies;
pub mod keyed_locks;
pub mod locks;
pub mod peers;
pub mod served;
pub mod simulation;

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::Body;

/// How often a benchmark does its work.
pub const ROUNDS: usize = 1_000;

/// Polls a future that has nothing to wait for.
///
/// # Panics
///
/// If it does wait: then it is not the work that the benchmark means.
pub fn finish<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

/// Reads a body that has nothing to wait for to its end, and returns its bytes' count.
pub fn drain<B: Body<Data = Bytes>>(body: B) -> usize {
    let mut body = pin!(body);
    let mut bytes = 0;
    while let Some(Ok(frame)) = finish(Frames(body.as_mut())) {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
    bytes
}

struct Frames<'a, B>(Pin<&'a mut B>);

impl<B: Body> Future for Frames<'_, B> {
    type Output = Option<Result<http_body::Frame<B::Data>, B::Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll_frame(context)
    }
}
