//! An upstream that keeps a ledger of what it did, behind a network that fails.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt as _;
use kimi_errors::BoxError;
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::replay::ReplayBody;
use tower_service::Service;

/// What becomes of one attempt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// The connection is refused.
    NotSent,
    /// The answer says that it was not done.
    Undone(Answer),
    /// It is done, and this comes back.
    Done(Answer),
    /// It is done, and the connection is reset before the head of the answer.
    Reset,
    /// It is done, and nothing comes back.
    Silence,
}

/// A status, a content type, and the beats of a body.
type Answer = (u16, &'static str, &'static [Said]);

#[derive(Clone, Copy, Debug)]
pub(super) enum Said {
    Text(&'static str),
    Broken,
    Stalled,
}
use Said::{Broken, Stalled, Text};

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const PAGE: &str = "text/html";

/// The bodies of the two answers that say that it was done.
pub(super) const DONE: [&str; 2] =
    [CHAT, concat!("data: {\"delta\":{\"content\":\"a\"}}\n\n", "data: [DONE]\n\n")];
const CHAT: &str = r#"{"id":"1","choices":[{"message":{"content":"a"}}]}"#;
const CONTENT: Said = Text("data: {\"delta\":{\"content\":\"a\"}}\n\n");
const END: Said = Text("data: [DONE]\n\n");
const ROLE: Said =
    Text("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n");
const STREAM_ERROR: Said =
    Text("data: {\"error\":{\"message\":\"x\",\"type\":\"engine_overloaded_error\"}}\n\n");

/// Each fate is as likely as another.
const FATES: &[Fate] = &[
    Fate::Done((200, JSON, &[Text(CHAT)])),
    Fate::Done((200, JSON, &[Text(CHAT)])),
    Fate::Done((200, EVENTS, &[CONTENT, END])),
    Fate::Done((200, EVENTS, &[CONTENT, END])),
    Fate::NotSent,
    Fate::Undone((
        429,
        JSON,
        &[Text(r#"{"error":{"message":"x","type":"rate_limit_reached_error"}}"#)],
    )),
    Fate::Undone((503, JSON, &[Text(r#"{"error":{"message":"x","type":"server_unavailable"}}"#)])),
    Fate::Undone((503, PAGE, &[])),
    Fate::Undone((500, JSON, &[Text(r#"{"errcode":-1000,"errmsg":"系统异常","data":null}"#)])),
    Fate::Undone((200, JSON, &[Text(r#"{"code":-2001,"message":"x","data":null}"#)])),
    Fate::Undone((200, JSON, &[Text(r#"{"errcode":-2005,"errmsg":"x","data":null}"#)])),
    Fate::Undone((200, EVENTS, &[STREAM_ERROR])),
    Fate::Undone((200, EVENTS, &[ROLE, STREAM_ERROR, END])),
    Fate::Undone((200, EVENTS, &[ROLE, Text(": keep-alive\n\n")])),
    Fate::Undone((200, EVENTS, &[ROLE, Broken])),
    Fate::Undone((200, EVENTS, &[])),
    Fate::Reset,
    Fate::Silence,
    Fate::Done((502, PAGE, &[Text("<html><h1>502 Bad Gateway</h1></html>")])),
    Fate::Done((504, PAGE, &[Text("<html><h1>504 Gateway Time-out</h1></html>"), Broken])),
    Fate::Done((502, JSON, &[Text(r#"{"error":{"message":"x","type":"server_error"}}"#)])),
    Fate::Done((504, JSON, &[Text(r#"{"error":{"message":"x","type":"server_error"}}"#)])),
    Fate::Done((504, JSON, &[])),
    Fate::Done((524, PAGE, &[Text("<title>example.com | 524: A timeout occurred</title>")])),
    Fate::Done((200, JSON, &[Text(r#"{"id":"1","choices":[{"mess"#), Broken])),
    Fate::Done((200, JSON, &[Text(r#"{"id":"1","choices":[{"mess"#)])),
    Fate::Done((200, JSON, &[Text(r#"{"id":"1","choices":[{"mess"#), Stalled])),
    Fate::Done((200, JSON, &[Text(CHAT), Broken])),
    Fate::Done((200, JSON, &[Broken])),
    Fate::Done((
        200,
        JSON,
        &[Text(r#"{"error":{"code":502,"message":"Provider disconnected unexpectedly"}}"#)],
    )),
    Fate::Done((200, EVENTS, &[CONTENT, Broken])),
    Fate::Done((200, EVENTS, &[ROLE, CONTENT])),
    Fate::Done((200, EVENTS, &[CONTENT, STREAM_ERROR])),
];

/// What happened in one schedule.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// How often each operation was done.
    effects: HashMap<HeaderValue, usize>,
    /// The keys of what was done, if they are honored.
    keys: Option<HashSet<HeaderValue>>,
    pub(super) fates: Vec<Fate>,
}

impl Ledger {
    pub(super) fn effects(&self) -> usize {
        self.effects.values().sum()
    }

    fn act(&mut self, operation: HeaderValue, key: Option<HeaderValue>) {
        let is_new = match (&mut self.keys, key) {
            (Some(keys), Some(key)) => keys.insert(key),
            _ => true,
        };
        if is_new {
            *self.effects.entry(operation).or_default() += 1;
        }
    }
}

#[derive(Clone)]
pub(super) struct Upstream {
    ledger: Rc<RefCell<Ledger>>,
    /// Of which the fates follow.
    seed: u64,
}

impl Upstream {
    pub(super) fn new(seed: u64, honors_keys: bool) -> (Self, Rc<RefCell<Ledger>>) {
        let keys = honors_keys.then(HashSet::new);
        let ledger = Rc::new(RefCell::new(Ledger { keys, ..Ledger::default() }));
        (Self { ledger: Rc::clone(&ledger), seed }, ledger)
    }

    /// The fate of the next attempt: the same for a seed, whatever the policy is.
    fn fate(&self) -> Fate {
        let mut ledger = self.ledger.borrow_mut();
        let fate = FATES[pick(self.seed, ledger.fates.len() as u64) % FATES.len()];
        ledger.fates.push(fate);
        fate
    }
}

/// Returns the number with this index of the sequence with this seed, by SplitMix64.
fn pick(seed: u64, index: u64) -> usize {
    let golden = 0x9e37_79b9_7f4a_7c15_u64;
    let mut z =
        seed.wrapping_mul(golden).rotate_left(32).wrapping_add(golden.wrapping_mul(index + 1));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ (z >> 31)) >> 33).unwrap()
}

fn answer((status, content_type, said): Answer) -> Response<ProbeBody> {
    let beats = said.iter().map(|said| match said {
        Text(text) => Beat::Data(Bytes::from_static(text.as_bytes())),
        Broken => Beat::Fail(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        Stalled => Beat::Hang,
    });
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, content_type);
    answer.body(ProbeBody::new(beats)).unwrap()
}

impl Service<Request<ReplayBody<ProbeBody>>> for Upstream {
    type Response = Response<ProbeBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ProbeBody>, BoxError>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReplayBody<ProbeBody>>) -> Self::Future {
        let (ledger, fate) = (Rc::clone(&self.ledger), self.fate());
        let (mut head, body) = request.into_parts();
        Box::pin(async move {
            let broken = |kind| Err(BoxError::from(io::Error::from(kind)));
            if matches!(fate, Fate::NotSent) {
                return broken(io::ErrorKind::ConnectionRefused);
            }
            if let Fate::Undone(said) = fate {
                return Ok(answer(said));
            }
            let body = body.collect().await?.to_bytes();
            let operation = head.headers.remove("x-operation").unwrap();
            assert_eq!(body, operation.as_bytes());
            ledger.borrow_mut().act(operation, head.headers.remove("idempotency-key"));
            match fate {
                Fate::Done(said) => Ok(answer(said)),
                Fate::Silence => std::future::pending().await,
                _ => broken(io::ErrorKind::ConnectionReset),
            }
        })
    }
}
