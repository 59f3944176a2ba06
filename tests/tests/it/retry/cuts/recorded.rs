//! Answers as they are recorded, and what a cut at each of their bytes means.

use http::{Response, header};
use kimi_errors::BoxError;
use kimi_testkit::probe::{Beat, ProbeBody};

/// An answer.
pub(super) struct Recorded {
    pub(super) name: &'static str,
    pub(super) status: u16,
    content_type: &'static str,
    pub(super) text: String,
    pub(super) turn: Turn,
}

/// What decides about an answer, and from which byte on it is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    /// An event stream whose first event with content, or end, has come whole at this byte.
    Content(usize),
    /// An event stream whose first event is an error, known at this byte, that another try mends.
    Passing,
    /// One that no other try mends.
    Lasting(usize),
    /// A success in JSON.
    Success,
    /// A success by its status, and an error by its JSON, known at this byte.
    Disguised(usize),
    /// An error by its status.
    Status,
}

/// How a cut shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cut {
    /// The body ends as if that were all.
    Clean,
    /// The body fails.
    Broken,
}

/// What comes of a cut.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Outcome {
    /// The request is sent again.
    Retried,
    /// The answer is taken for no failure, and handed on.
    Passed,
    /// The answer is a failure that must not be tried again, and handed on.
    Failed,
}

impl Recorded {
    /// The table of the module, for a cut at `at`.
    pub(super) fn expected(&self, at: usize, cut: Cut, is_idempotent: bool) -> Outcome {
        // Whether it was done is not known.
        let unknown = if is_idempotent { Outcome::Retried } else { Outcome::Failed };
        let is_whole = at == self.text.len();
        match (self.turn, cut) {
            (Turn::Content(from), _) if at >= from => Outcome::Passed,
            (Turn::Content(_) | Turn::Passing | Turn::Status, _) => Outcome::Retried,
            (Turn::Lasting(from), _) if at >= from => Outcome::Failed,
            (Turn::Lasting(_), _) => Outcome::Retried,
            (Turn::Success, Cut::Clean) => Outcome::Passed,
            (Turn::Disguised(_), _) if is_whole => Outcome::Retried,
            (Turn::Disguised(from), Cut::Clean) if at >= from => Outcome::Retried,
            (Turn::Disguised(_), Cut::Clean) => Outcome::Passed,
            (Turn::Success | Turn::Disguised(_), Cut::Broken) => unknown,
        }
    }

    /// The answer as far as `at`, in pieces of `size` bytes.
    pub(super) fn cut(&self, at: usize, size: usize, cut: Cut) -> Response<ProbeBody> {
        let pieces = self.text.as_bytes()[..at].chunks(size).map(bytes::Bytes::copy_from_slice);
        let body = ProbeBody::chunks(pieces);
        let body = match cut {
            Cut::Clean => body,
            Cut::Broken => body.then(Beat::Fail(BoxError::from("cut"))),
        };
        let answer = Response::builder().status(self.status);
        answer.header(header::CONTENT_TYPE, self.content_type).body(body).unwrap()
    }

    pub(super) fn is_stream(&self) -> bool {
        !matches!(self.turn, Turn::Success | Turn::Disguised(_) | Turn::Status)
    }

    fn stream(name: &'static str, text: impl Into<String>, turn: Turn) -> Self {
        let content_type = "text/event-stream; charset=utf-8";
        Self { name, status: 200, content_type, text: text.into(), turn }
    }

    /// A stream of which `opening` says nothing, and of which the next event does.
    fn with_content(name: &'static str, opening: &str, rest: &str, line_end: &str) -> Self {
        let [opening, rest] = [opening, rest].map(|text| text.replace('\n', line_end));
        // A lone carriage return ends its line whatever comes after it.
        let blank = format!("{line_end}{line_end}");
        let after = rest.find(&blank).unwrap() + blank.len();
        let after = if line_end == "\r\n" { after - 1 } else { after };
        let turn = Turn::Content(opening.len() + after);
        Self::stream(name, opening + &rest, turn)
    }

    fn json(name: &'static str, status: u16, text: &str, turn: Turn) -> Self {
        Self { name, status, content_type: "application/json", text: text.to_owned(), turn }
    }
}

/// What the platform opens a stream with.
const ROLE: &str = concat!(
    r#"data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"#,
    r#""delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
    "\n\n",
);
const CONTENT: &str = concat!(
    r#"data: {"id":"1","choices":[{"index":0,"delta":{"content":"a\"你"},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    "\n\n",
    "data: [DONE]\n\n",
);
const FREE_ROLE: &str = concat!(
    r#"data: {"id":"c1","model":"kimi","object":"chat.completion.chunk","choices":[{"index":0,"#,
    r#""delta":{"role":"assistant","content":""},"finish_reason":null}],"segment_id":"","created":1}"#,
    "\n\n",
);
const FREE_CONTENT: &str = concat!(
    r#"data: {"id":"c1","model":"kimi","object":"chat.completion.chunk","choices":[{"index":0,"#,
    r#""delta":{"content":"好"},"finish_reason":null}],"segment_id":"s","created":1}"#,
    "\n\n",
    r#"data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{}}"#,
    "\n\n",
    "data: [DONE]\n\n",
);
const WEB: &str =
    "data: {\"event\":\"cmpl\",\"text\":\"你\"}\n\ndata: {\"event\":\"all_done\"}\n\n";
const OVERLOADED: &str = r#"data: {"error":{"message":"x","type":"engine_overloaded_error"}}"#;
const FILTERED: &str = r#"data: {"error":{"message":"x","type":"content_filter"}}"#;

/// A chat that is answered in one.
pub(super) const CHAT: &str = concat!(
    r#"{"id":"1","object":"chat.completion","choices":[{"index":0,"message":"#,
    r#"{"role":"assistant","content":"a}\"]你"},"finish_reason":"stop"}],"usage":{"total_tokens":7}}"#,
);

pub(super) fn chat() -> Response<ProbeBody> {
    let answer = Response::builder().header(header::CONTENT_TYPE, "application/json");
    answer.body(ProbeBody::full(CHAT)).unwrap()
}

pub(super) fn recorded() -> Vec<Recorded> {
    let comments = format!(": keep-alive\n\n: \n{ROLE}: keep-alive\n\n");
    let at_once = format!("{}{CONTENT}", ROLE.replace(r#""content":"""#, r#""content":"a""#));
    let free_comments = format!(": ping\n\n{FREE_ROLE}");
    let mut recorded = vec![
        Recorded::with_content("keep-alives", &comments, CONTENT, "\n"),
        Recorded::with_content("free-api", FREE_ROLE, FREE_CONTENT, "\n"),
        Recorded::with_content("free-api keep-alives", &free_comments, FREE_CONTENT, "\r\n"),
        Recorded::with_content("kimi.com", "", WEB, "\n"),
        Recorded::with_content("no opening", "", &at_once, "\n"),
        // The end, without its line ends, is an end.
        Recorded::stream(
            "nothing said",
            format!("{ROLE}data: [DONE]\n\n"),
            Turn::Content(ROLE.len() + "data: [DONE]".len()),
        ),
        Recorded::stream("overloaded", format!("{OVERLOADED}\n\n"), Turn::Passing),
        Recorded::stream("opened, overloaded", format!("{ROLE}{OVERLOADED}\n\n"), Turn::Passing),
        Recorded::stream("filtered", format!("{FILTERED}\n\n"), Turn::Lasting(FILTERED.len())),
        Recorded::json("chat", 200, CHAT, Turn::Success),
        Recorded::json(
            "disguised",
            200,
            r#"{"code":-2001,"message":"[请求kimi失败]: {\"a\":1}","data":null}"#,
            // A code may be anything; with a message it is an error.
            Turn::Disguised(r#"{"code":-2001,"message":"["#.len()),
        ),
        Recorded::json(
            "disguised as an envelope",
            200,
            r#"{"errcode":-1000,"errmsg":"系统异常","data":{"a":[]}}"#,
            Turn::Disguised(r#"{"errcode":-1000,"#.len()),
        ),
        Recorded::json(
            "unavailable",
            503,
            r#"{"error":{"message":"The server is down","type":"server_error"}}"#,
            Turn::Status,
        ),
    ];
    recorded.extend(
        ["\n", "\r\n", "\r"]
            .map(|line_end| Recorded::with_content("platform", ROLE, CONTENT, line_end)),
    );
    recorded
}
