//! A server of files that answers by script, and counts what is alive of what it has sent.

use std::{
    cell::RefCell,
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, response};
use http_body::{Body, Frame};
use http_body_util::Empty;
use kimi_errors::BoxError;
use tokio::time::{Sleep, sleep};
use tower::Service;

type Asked = Request<Empty<Bytes>>;
type Script = dyn Fn(&Asked) -> Result<Response<Vec<Piece>>, BoxError>;

/// What comes of a body, in order.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Data(Bytes),
    /// So many frames of so many zeros.
    Zeros(usize, usize),
    /// One byte a second, for so long.
    Drip(usize),
    Wait(Duration),
    Fail,
}

#[derive(Clone)]
pub(super) struct Server {
    script: Rc<Script>,
    asked: Rc<RefCell<Vec<String>>>,
    pub(super) alive: Alive,
}

/// Counts the bytes of frames that nobody has dropped yet.
#[derive(Clone, Default)]
pub(super) struct Alive {
    now: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
    pub(super) sent: Arc<AtomicUsize>,
}

impl Server {
    pub(super) fn new(
        script: impl Fn(&Asked) -> Result<Response<Vec<Piece>>, BoxError> + 'static,
    ) -> Self {
        Self { script: Rc::new(script), asked: Rc::default(), alive: Alive::default() }
    }

    /// Answers `HEAD` with 405, and `GET` so.
    pub(super) fn of_get(head: response::Builder, pieces: impl Into<Vec<Piece>>) -> Self {
        let (parts, ()) = head.body(()).unwrap().into_parts();
        let pieces = pieces.into();
        Self::new(move |asked| match asked.method().as_str() {
            "HEAD" => answer(405, &[], &[]),
            _ => Ok(Response::from_parts(parts.clone(), pieces.clone())),
        })
    }

    /// Each request, as `HEAD /path`, with its range if there is one.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

pub(super) fn answer(
    status: u16,
    fields: &[(&str, &str)],
    pieces: &[Piece],
) -> Result<Response<Vec<Piece>>, BoxError> {
    let head = Response::builder().status(status);
    let head = fields.iter().fold(head, |head, (name, value)| head.header(*name, *value));
    Ok(head.body(pieces.to_vec())?)
}

impl Service<Asked> for Server {
    type Response = Response<File>;
    type Error = BoxError;
    type Future = Ready<Result<Response<File>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, asked: Asked) -> Self::Future {
        assert_eq!(asked.headers()["accept-encoding"], "identity");
        assert!(asked.headers().contains_key("user-agent"));
        let range =
            asked.headers().get("range").map(|range| format!(" {}", range.to_str().unwrap()));
        let line = format!("{} {}{}", asked.method(), asked.uri(), range.unwrap_or_default());
        self.asked.borrow_mut().push(line);
        let answer = (self.script)(&asked).map(|answer| {
            answer.map(|mut pieces| {
                pieces.reverse();
                File { pieces, sleep: None, alive: self.alive.clone() }
            })
        });
        ready(answer)
    }
}

pub(super) struct File {
    /// The last comes first.
    pieces: Vec<Piece>,
    sleep: Option<Pin<Box<Sleep>>>,
    alive: Alive,
}

impl Body for File {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                std::task::ready!(sleep.as_mut().poll(cx));
                self.sleep = None;
            }
            let data = match self.pieces.pop() {
                None => return Poll::Ready(None),
                Some(Piece::Fail) => return Poll::Ready(Some(Err("reset".into()))),
                Some(Piece::Wait(time)) => {
                    self.sleep = Some(Box::pin(sleep(time)));
                    continue;
                }
                Some(Piece::Zeros(0, _) | Piece::Drip(0)) => continue,
                Some(Piece::Zeros(frames, bytes)) => {
                    self.pieces.push(Piece::Zeros(frames - 1, bytes));
                    Bytes::from(vec![0; bytes])
                }
                Some(Piece::Drip(bytes)) => {
                    let next = [Piece::Drip(bytes - 1), Piece::Wait(Duration::from_secs(1))];
                    self.pieces.extend(next);
                    Bytes::from_static(b"a")
                }
                Some(Piece::Data(data)) => data,
            };
            return Poll::Ready(Some(Ok(Frame::data(self.alive.track(data)))));
        }
    }
}

impl Alive {
    pub(super) fn peak(&self) -> usize {
        self.peak.load(Relaxed)
    }

    pub(super) fn now(&self) -> usize {
        self.now.load(Relaxed)
    }

    fn track(&self, data: Bytes) -> Bytes {
        let now = self.now.fetch_add(data.len(), Relaxed) + data.len();
        self.peak.fetch_max(now, Relaxed);
        self.sent.fetch_add(data.len(), Relaxed);
        Bytes::from_owner(Tracked { data, now: Arc::clone(&self.now) })
    }
}

struct Tracked {
    data: Bytes,
    now: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Tracked {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.now.fetch_sub(self.data.len(), Relaxed);
    }
}

/// A client that never answers.
pub(super) fn silent() -> impl Service<Asked, Response = Response<File>, Error = Infallible> + Clone
{
    tower::service_fn(|_| std::future::pending())
}
