//! What all layers together add to a request on the wire, beside what our peers add.
//!
//! hyper serves a connection of HTTP/1.1 that is in memory. The client sends its next request when
//! it has read the answer to the last. Subtract `bare`, which is a router of axum whose handler has
//! the body of 400 bytes and answers with JSON of 260.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::{
    future::Future,
    hint::black_box,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use axum::{Router, body::Bytes};
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use hyper::{
    rt::{Read, ReadBufCursor, Write},
    server::conn::http1,
};
use hyper_util::service::TowerToHyperService;
use kimi_benches::{
    ROUNDS,
    served::{ANSWER, Server, request},
};
use tokio::runtime::{Builder, EnterGuard, Runtime};

/// The client's end of a connection, as the server sees it.
struct Client {
    request: Bytes,
    left: usize,
    /// How many bytes of the current answer have come.
    written: usize,
    is_flushed: bool,
    answers: usize,
}

impl Client {
    fn new(requests: usize) -> Self {
        let request = request(1);
        Self { request, left: requests, written: 0, is_flushed: true, answers: 0 }
    }
}

impl Read for &mut Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_flushed {
            return Poll::Pending;
        }
        if let Some(left) = self.left.checked_sub(1) {
            buffer.put_slice(&self.request);
            self.left = left;
            self.is_flushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for &mut Client {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.written == 0 {
            assert!(black_box(bytes).starts_with(b"HTTP/1.1 200 OK\r\n"), "it is answered well");
        }
        self.written += bytes.len();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.written > ANSWER.len() {
            self.answers += 1;
            self.written = 0;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Sends so many requests on a connection of their own, and returns how many were answered.
fn talk(router: Router, requests: usize) -> usize {
    let mut client = Client::new(requests);
    serve(router, &mut client);
    client.answers
}

fn serve(router: Router, client: &mut Client) {
    // Each turn reads, answers, or ends.
    let turns = 2 * client.left + 2;
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(http1::Builder::new().serve_connection(client, service));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..turns {
        if let Poll::Ready(ended) = connection.as_mut().poll(&mut context) {
            assert!(ended.is_ok(), "{ended:?}");
            return;
        }
    }
}

/// What serves, which has been asked once, and a runtime for its timers.
fn server(of: Server) -> (Router, Runtime) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("there can be one");
    let router = of.router();
    let entered = runtime.enter();
    assert_eq!(talk(router.clone(), 1), 1);
    drop::<EnterGuard<'_>>(entered);
    (router, runtime)
}

#[library_benchmark]
#[bench::bare(server(Server::Bare))]
#[bench::layered(server(Server::Layered))]
#[bench::ours(server(Server::Ours))]
#[bench::ours_unheard(server(Server::OursUnheard))]
#[bench::ours_without_fields(server(Server::OursWithoutFields))]
#[bench::peers(server(Server::Peers))]
#[bench::peers_unheard(server(Server::PeersUnheard))]
fn on_the_wire((router, runtime): (Router, Runtime)) -> usize {
    let _entered = runtime.enter();
    let answers = talk(router, ROUNDS);
    assert_eq!(answers, ROUNDS);
    answers
}

library_benchmark_group!(name = stack; benchmarks = on_the_wire);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = stack
);
