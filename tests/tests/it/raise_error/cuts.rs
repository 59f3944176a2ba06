//! Recorded answers, cut at every byte: none of them is taken for whole.

use bytes::Bytes;
use http::{Response, header};
use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Beat, ProbeBody};

use super::{ERROR, EVENTS, JSON, answer, pieces, position, read, send};

/// How a cut shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cut {
    /// The body ends as if that were all.
    Clean,
    /// The body fails.
    Broken,
}

/// What comes of an answer: what passed, and the error after it.
#[derive(Debug, Eq, PartialEq)]
enum Outcome {
    Raised(ErrorKind),
    Passed { data: String, error: Option<ErrorKind> },
}

/// Ways to cut `bytes` into chunks: none, each byte, and in two at a place that wanders.
fn chunkings(bytes: &[u8]) -> Vec<Vec<Bytes>> {
    let (head, tail) = bytes.split_at(bytes.len() * 7 % (bytes.len() + 1));
    let two = [head, tail].map(Bytes::copy_from_slice).to_vec();
    vec![vec![Bytes::copy_from_slice(bytes)], pieces(bytes, 1), two]
}

async fn outcome(answer: Response<ProbeBody>) -> Outcome {
    match send(answer).await {
        Err(error) => Outcome::Raised(error.kind()),
        Ok(answer) => {
            let (data, error) = read(answer).await;
            if let Some(error) = &error {
                assert_eq!(position(error).0, data.len() as u64);
            }
            let data = String::from_utf8(data).unwrap();
            Outcome::Passed { data, error: error.map(|error| error.kind()) }
        }
    }
}

fn body(chunks: Vec<Bytes>, cut: Cut) -> ProbeBody {
    let body = ProbeBody::chunks(chunks);
    if cut == Cut::Broken { body.then(Beat::Fail("broken".into())) } else { body }
}

/// Returns the bytes up to the end of the last event or comment, found the slow way.
fn complete(text: &str) -> &str {
    let (mut at, mut end, mut is_open) = (0, 0, false);
    while let Some(length) = text[at..].find(['\r', '\n']) {
        let line = &text[at..at + length];
        at += length + if text[at + length..].starts_with("\r\n") { 2 } else { 1 };
        is_open = !line.is_empty() && (is_open || !line.starts_with(':'));
        if !is_open {
            end = at;
        }
    }
    &text[..end]
}

const CHAT: &str = concat!(
    r#"data: {"id":"1","object":"chat.completion.chunk","choices":[{"delta":{"content":"a\"b"}}]}"#,
    "\n\n: hb\n\nevent: x\ndata:{\"choices\":[]}\nid: 7\n\ndata: [1,\ndata: 2]\n\n",
);

/// A recorded stream, the bytes before its error or end, and where either is there to be read.
struct Recorded {
    text: String,
    /// Where the event begins that decides.
    begin: usize,
    /// Where its data ends: no line end is waited for if nothing else comes.
    known: usize,
    error: Option<ErrorKind>,
}

fn recorded(chat: &str, last: &str, error: Option<ErrorKind>, line_end: &str) -> Recorded {
    let text = format!("{chat}{last}\n\n").replace('\n', line_end);
    let begin = chat.replace('\n', line_end).len();
    Recorded { known: begin + last.replace('\n', line_end).len(), text, begin, error }
}

/// Each kind of stream with each kind of line end.
fn streams() -> Vec<Recorded> {
    let overloaded = Some(ErrorKind::Overloaded);
    let streams = [
        (CHAT, "data: [DONE]", None),
        ("", ERROR, overloaded),
        (CHAT, ERROR, overloaded),
        (CHAT, "event: message_stop\ndata: {\"type\":\"message_stop\"}", None),
    ];
    let streams = streams.iter().flat_map(|(chat, last, error)| {
        ["\n", "\r\n", "\r"].map(|line_end| recorded(chat, last, *error, line_end))
    });
    streams.collect()
}

impl Recorded {
    /// What the module page says of a cut at `at`.
    fn expected(&self, at: usize) -> Outcome {
        let sent = &self.text[..at];
        if at < self.known {
            let data = complete(sent);
            // Line ends alone are no beginning.
            if data.trim().is_empty() {
                return Outcome::Raised(ErrorKind::StreamTruncated);
            }
            let error = Some(ErrorKind::StreamTruncated);
            return Outcome::Passed { data: data.to_owned(), error };
        }
        match self.error {
            Some(kind) if self.begin == 0 => Outcome::Raised(kind),
            Some(kind) => {
                let data = self.text[..self.begin].to_owned();
                Outcome::Passed { data, error: Some(kind) }
            }
            None => Outcome::Passed { data: sent.to_owned(), error: None },
        }
    }
}

#[tokio::test]
async fn a_stream_cut_at_any_byte_is_told_from_a_whole_one() {
    let mut cuts = 0;
    for stream in streams() {
        for at in 0..=stream.text.len() {
            for chunks in chunkings(&stream.text.as_bytes()[..at]) {
                for cut in [Cut::Clean, Cut::Broken] {
                    let outcome = outcome(answer(200, EVENTS, body(chunks.clone(), cut))).await;
                    assert_eq!(outcome, stream.expected(at), "{:?} {at} {cut:?}", stream.text);
                    cuts += 1;
                }
            }
        }
    }
    assert!(cuts > 10_000, "{cuts}");
}

#[tokio::test]
async fn a_whole_stream_is_the_same_wherever_it_is_parted() {
    for stream in streams() {
        for at in 0..=stream.text.len() {
            let (head, tail) = stream.text.as_bytes().split_at(at);
            let chunks = [head, tail].map(Bytes::copy_from_slice).to_vec();
            let outcome = outcome(answer(200, EVENTS, body(chunks, Cut::Clean))).await;
            assert_eq!(outcome, stream.expected(stream.text.len()), "{:?} {at}", stream.text);
        }
    }
}

/// What says where a unary answer ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Framing {
    ContentLength,
    /// The end of the connection alone.
    Connection,
}

#[tokio::test]
async fn json_cut_at_any_byte_is_told_from_a_whole_one() {
    let chat =
        r#"{"id":"1","object":"chat.completion","choices":[{"message":{"content":"a}\"]"}}]}"#;
    let busy = r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":{"a":[]}}"#;
    for (text, kind) in [(chat, None), (busy, Some(ErrorKind::StreamBusy))] {
        for framing in [Framing::ContentLength, Framing::Connection] {
            for at in 0..=text.len() {
                for chunks in chunkings(&text.as_bytes()[..at]) {
                    let cut =
                        if at % 2 == 0 || at == text.len() { Cut::Clean } else { Cut::Broken };
                    let mut inner = answer(200, JSON, body(chunks, cut));
                    if framing == Framing::ContentLength {
                        inner.headers_mut().insert(header::CONTENT_LENGTH, text.len().into());
                    }
                    let expected = match kind {
                        _ if at < text.len() => Outcome::Raised(ErrorKind::BadGateway),
                        Some(kind) => Outcome::Raised(kind),
                        None => Outcome::Passed { data: text.to_owned(), error: None },
                    };
                    assert_eq!(outcome(inner).await, expected, "{framing:?} {at} {cut:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_error_status_cut_at_any_byte_is_an_error() {
    let busy = r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#;
    for at in 0..=busy.len() {
        for cut in [Cut::Clean, Cut::Broken] {
            let inner = answer(429, JSON, body(pieces(&busy.as_bytes()[..at], 9), cut));
            let outcome = outcome(inner).await;
            assert!(matches!(outcome, Outcome::Raised(_)), "{at}");
            if at == busy.len() {
                assert_eq!(outcome, Outcome::Raised(ErrorKind::StreamBusy));
            }
        }
    }
}
