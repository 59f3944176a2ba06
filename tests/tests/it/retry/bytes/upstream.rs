//! An upstream that reads as much of a body as it is told, and never quite lets go of it.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use http::{HeaderMap, Request, Response, request::Parts};
use http_body::{Body as _, Frame};
use kimi_errors::{BoxError, Error, ErrorKind, chain};
use kimi_tower::replay::ReplayBody;
use tower_service::Service;

use super::{
    case::{Case, Ending, Readiness},
    paced::Paced,
};

/// One attempt, as the upstream has seen it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) head: Parts,
    body: Option<ReplayBody<Paced>>,
    is_running: bool,
    pub(super) has_answered: bool,
    pub(super) data: Vec<u8>,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) end: Option<SentEnd>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum SentEnd {
    Clean,
    Failed(String),
    Superseded,
}

#[derive(Debug)]
pub(super) struct World {
    case: Case,
    pub(super) sent: Vec<Sent>,
    occasions: usize,
    has_waited: bool,
    pub(super) unready_calls: usize,
}

impl World {
    pub(super) fn new(case: Case) -> Rc<RefCell<Self>> {
        let (sent, occasions, unready_calls) = (Vec::new(), 0, 0);
        Rc::new(RefCell::new(Self { case, sent, occasions, has_waited: false, unready_calls }))
    }

    /// Goes on reading the bodies of the attempts that are over.
    pub(super) fn haunt(&mut self, cx: &mut Context<'_>) {
        let polls = self.case.polls[self.occasions % self.case.polls.len()];
        self.occasions += 1;
        let length = self.case.body.length();
        for sent in self.sent.iter_mut().filter(|sent| !sent.is_running) {
            if polls == 9 {
                sent.body = None;
            }
            for _ in 0..polls {
                if sent.poll(length, cx).is_pending() {
                    break;
                }
            }
        }
    }
}

impl Sent {
    /// Reads one frame. Ready with whether there was one.
    fn poll(&mut self, length: u64, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(body) = &mut self.body else { return Poll::Ready(false) };
        let (hint, left) = (body.size_hint(), length - self.data.len() as u64);
        assert!(hint.lower() <= left && hint.upper().is_none_or(|upper| upper >= left));
        let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
        let end = match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => {
                assert_eq!(self.trailers, None);
                self.data.extend(data);
                return Poll::Ready(true);
            }
            Some(Ok(Err(other))) => {
                assert_eq!(self.trailers, None);
                self.trailers = other.into_trailers().ok();
                return Poll::Ready(true);
            }
            None => SentEnd::Clean,
            Some(Err(error)) => {
                let kind = chain::find::<Error>(&*error).map(Error::kind);
                match kind {
                    Some(ErrorKind::Cancelled) => SentEnd::Superseded,
                    _ => SentEnd::Failed(error.to_string()),
                }
            }
        };
        self.end.get_or_insert(end);
        self.body = None;
        Poll::Ready(false)
    }
}

#[derive(Debug)]
pub(super) struct Upstream {
    world: Rc<RefCell<World>>,
    is_ready: bool,
}

impl Upstream {
    pub(super) fn new(world: &Rc<RefCell<World>>) -> Self {
        Self { world: Rc::clone(world), is_ready: false }
    }
}

impl Clone for Upstream {
    fn clone(&self) -> Self {
        Self::new(&self.world)
    }
}

impl Service<Request<ReplayBody<Paced>>> for Upstream {
    type Response = Response<Paced>;
    type Error = BoxError;
    type Future = Running;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let mut world = self.world.borrow_mut();
        world.haunt(cx);
        let number = world.sent.len();
        let readiness = world.case.attempt(number).readiness;
        match readiness {
            Readiness::Failed if number > 0 => return Poll::Ready(Err("not ready".into())),
            Readiness::Slow if !std::mem::replace(&mut world.has_waited, true) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            _ => {}
        }
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReplayBody<Paced>>) -> Running {
        let mut world = self.world.borrow_mut();
        world.unready_calls += usize::from(!std::mem::take(&mut self.is_ready));
        world.has_waited = false;
        let (head, body) = request.into_parts();
        let number = world.sent.len();
        world.sent.push(Sent {
            head,
            body: Some(body),
            is_running: true,
            has_answered: false,
            data: Vec::new(),
            trailers: None,
            end: None,
        });
        let attempt = world.case.attempt(number);
        let (frames, waits) = (attempt.frames, attempt.waits);
        Running { world: Rc::clone(&self.world), number, frames, waits }
    }
}

/// One attempt.
pub(super) struct Running {
    world: Rc<RefCell<World>>,
    number: usize,
    /// How many are still to be read.
    frames: usize,
    /// How often it still waits before the next.
    waits: u8,
}

impl Future for Running {
    type Output = Result<Response<Paced>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let world = Rc::clone(&self.world);
        let mut world = world.borrow_mut();
        world.haunt(cx);
        let length = world.case.body.length();
        while self.frames > 0 {
            if self.waits > 0 {
                self.waits -= 1;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let sent = &mut world.sent[self.number];
            if !std::task::ready!(sent.poll(length, cx)) {
                match &sent.end {
                    // A client fails with the body that it sends.
                    Some(SentEnd::Failed(text)) => {
                        return Poll::Ready(Err(text.clone().into()));
                    }
                    end => assert_eq!(*end, Some(SentEnd::Clean), "it runs"),
                }
                break;
            }
            self.frames -= 1;
            self.waits = world.case.attempt(self.number).waits;
        }
        let end = world.case.attempt(self.number).end.clone();
        Poll::Ready(match end {
            Ending::Answer(answer) => {
                world.sent[self.number].has_answered = true;
                Ok(answer.response())
            }
            Ending::Refused => Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
            Ending::Reset => Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
            Ending::Never => return Poll::Pending,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut world = self.world.borrow_mut();
        let keeps_body = world.case.attempt(self.number).keeps_body;
        let sent = &mut world.sent[self.number];
        sent.is_running = false;
        if !keeps_body {
            sent.body = None;
        }
    }
}
