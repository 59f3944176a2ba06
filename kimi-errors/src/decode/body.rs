//! Finds what a body says under its wrappings: byte order marks, quotes, arrays, events, frames.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr2};

use super::{Answer, Context, Form, find, form};
use crate::{dialect::connect, error::is_error_status, scan::Raw};

/// How often JSON may stand quoted within JSON.
const MAX_QUOTES: u8 = 2;

/// A good answer of at most this many bytes is searched for [`CONTENT_STOP`]: the refusals that it
/// ends are short, and a long answer is not worth reading to its end.
const SEARCHED_BYTES: usize = 4096;

/// How kimi-free-api says that moderation stopped an answer: as the end of the assistant's text.
/// The quote that ends the JSON string, and that is asked for too, keeps a text that only cites it
/// apart.
const CONTENT_STOP: &str = "[内容由于不合规被停止生成，我们换个话题吧]";
/// The same, written by a JSON library that escapes everything that is not ASCII.
const CONTENT_STOP_ESCAPED: &str = "[\\u5185\\u5bb9\\u7531\\u4e8e\\u4e0d\\u5408\\u89c4\\u88ab\
    \\u505c\\u6b62\\u751f\\u6210\\uff0c\\u6211\\u4eec\\u6362\\u4e2a\\u8bdd\\u9898\\u5427]";

/// The bytes of a page, or of a line of text, that are looked at.
const PAGE_BYTES: usize = 2048;

/// Returns what a body says; `None` for a success.
pub(super) fn read(bytes: &[u8], context: Context) -> Option<Answer<'_>> {
    let answer = read_quoted(bytes, context, 0).or_else(|| silent(context))?;
    Some(unwrap_message(answer))
}

fn read_quoted(bytes: &[u8], context: Context, quotes: u8) -> Option<Answer<'_>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match bytes.first() {
        None => context.certain.then(Answer::default),
        Some(b'{') => form::read(bytes, context).or_else(|| content_stop(bytes)),
        Some(b'[') => in_array(bytes, context),
        Some(b'"') => {
            let text = Raw::first(bytes).text()?;
            let inner = text.trim_start_matches('\u{feff}').trim_ascii_start();
            let is_json = inner.starts_with(['{', '[', '"']);
            let answer = if is_json && quotes < MAX_QUOTES {
                read_quoted(inner.as_bytes(), context, quotes + 1)
            } else {
                read_text(inner.as_bytes(), context)
            };
            answer.map(Answer::into_owned)
        }
        Some(_) if context.event => read_text(bytes, context),
        Some(b'<') => read_page(bytes, context),
        Some(_) => {
            if let Some(frame) = connect::last_frame(bytes) {
                return frame.map_or_else(|| silent(context), |json| form::read(json, context));
            }
            match first_event(bytes) {
                Some(event) => read_event(event, context),
                None => read_text(bytes, context),
            }
        }
    }
}

/// Looks into a message that is itself JSON, which gateways make of an upstream's whole body.
fn unwrap_message(answer: Answer<'_>) -> Answer<'_> {
    let Some(text) =
        answer.message.as_deref().filter(|text| text.trim_ascii_start().starts_with('{'))
    else {
        return answer;
    };
    let inner = read_quoted(text.trim_ascii_start().as_bytes(), Context::QUOTED, MAX_QUOTES);
    let Some(inner) = inner.map(Answer::into_owned) else { return answer };
    let request_id = inner.request_id.or(answer.request_id);
    Answer { request_id, ..inner }
}

/// What is said by a body that cannot be read.
fn silent<'a>(context: Context) -> Option<Answer<'a>> {
    context.certain.then(|| Answer { form: Form::Text, ..Answer::default() })
}

fn in_array(bytes: &[u8], context: Context) -> Option<Answer<'_>> {
    match form::read(bytes[1..].trim_ascii_start(), context) {
        None => read_text(bytes, context),
        answer => answer,
    }
}

fn content_stop<'a>(bytes: &[u8]) -> Option<Answer<'a>> {
    if bytes.len() > SEARCHED_BYTES {
        return None;
    }
    // Brackets are rare in prose, and few of them stand before a quote.
    let stopped = memchr_iter(b']', bytes).any(|at| {
        let (text, rest) = bytes.split_at(at + 1);
        rest.starts_with(b"\"")
            && [CONTENT_STOP, CONTENT_STOP_ESCAPED]
                .iter()
                .any(|stop| text.ends_with(stop.as_bytes()))
    });
    stopped.then(|| Answer {
        form: Form::WebEvent,
        error_type: Some(Cow::Borrowed("error")),
        ..Answer::default()
    })
}

/// A line of text. It is read for what it means, and never shown.
fn read_text(bytes: &[u8], context: Context) -> Option<Answer<'_>> {
    if !context.certain {
        return None;
    }
    let start = &bytes[..bytes.len().min(PAGE_BYTES)];
    let valid = start.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default();
    Some(Answer { form: Form::Text, message: Some(Cow::Borrowed(valid)), ..Answer::default() })
}

/// A page. Only the status in its title is read: `<title>502 Bad Gateway</title>`.
fn read_page(bytes: &[u8], context: Context) -> Option<Answer<'_>> {
    let start = &bytes[..bytes.len().min(PAGE_BYTES)];
    let title = find(start, "<title>").map(|at| &start[at + "<title>".len()..]);
    let title = title
        .map(|title| &title[..title.iter().position(|byte| *byte == b'<').unwrap_or(title.len())]);
    let status = title.and_then(status_in);
    (context.certain || status.is_some()).then(|| Answer {
        form: Form::Html,
        status,
        ..Answer::default()
    })
}

/// What stands before the status in a title: `Error 403 (Forbidden)!!1`, `kimi.com | 522: …`.
const BEFORE_STATUS: [&str; 2] = ["error ", "| "];

/// How the reason phrases of the statuses begin that proxies write behind other words.
const REASONS: &[(u16, &str)] = &[
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (408, "Request Time"),
    (413, "Request Entity Too Large"),
    (413, "Payload Too Large"),
    (413, "Content Too Large"),
    (429, "Too Many Requests"),
    (500, "Internal Server Error"),
    (502, "Bad Gateway"),
    (503, "Service"),
    (504, "Gateway Time"),
];

/// Returns the first number from 400 to 599 that stands alone at the start of a title, behind what
/// announces a status, or before its own reason phrase. "Welcome 404 ways" is no error.
fn status_in(title: &[u8]) -> Option<u16> {
    let title = title.trim_ascii();
    let ends_alike = |text: &[u8], end: &str| {
        let Some((rest, tail)) =
            text.len().checked_sub(end.len()).and_then(|from| text.split_at_checked(from))
        else {
            return false;
        };
        tail.eq_ignore_ascii_case(end.as_bytes())
            && !rest.last().is_some_and(u8::is_ascii_alphanumeric)
    };
    let mut at = 0;
    for word in title.split(|byte| !byte.is_ascii_alphanumeric()) {
        let (before, after) = (&title[..at], &title[at + word.len()..]);
        at += word.len() + 1;
        let number = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
        let Some(number) = number.filter(|number| is_error_status(*number)) else { continue };
        let reason = after.iter().position(u8::is_ascii_alphabetic).map(|at| &after[at..]);
        let is_named = |(status, phrase): &(u16, &str)| {
            *status == number
                && reason
                    .and_then(|reason| reason.get(..phrase.len()))
                    .is_some_and(|reason| reason.eq_ignore_ascii_case(phrase.as_bytes()))
        };
        if before.is_empty()
            || BEFORE_STATUS.iter().any(|announced| ends_alike(before, announced))
            || REASONS.iter().any(is_named)
        {
            return Some(number);
        }
    }
    None
}

/// The first event of a stream that holds data.
struct Event<'a> {
    is_error: bool,
    data: Cow<'a, [u8]>,
}

fn read_event(event: Event<'_>, context: Context) -> Option<Answer<'_>> {
    let certain = context.certain || event.is_error;
    let context = Context { certain, event: true, ..context };
    match event.data {
        Cow::Borrowed(data) => read_quoted(data, context, 0),
        Cow::Owned(data) => read_quoted(&data, context, 0).map(Answer::into_owned),
    }
}

/// Returns the first event, if `bytes` are a stream of them: lines `data:`, with or without a space
/// behind the colon, `event:`, and comments, which begin with the colon.
fn first_event(bytes: &[u8]) -> Option<Event<'_>> {
    const FIELDS: [&[u8]; 5] = [b"data:", b"event:", b":", b"id:", b"retry:"];
    if !FIELDS.iter().any(|field| bytes.starts_with(field)) {
        return None;
    }
    let mut is_error = false;
    let mut data: Option<Cow<'_, [u8]>> = None;
    for line in lines(bytes) {
        if let Some(value) = field(line, b"data:") {
            match &mut data {
                None => data = Some(Cow::Borrowed(value)),
                Some(data) => {
                    let data = data.to_mut();
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
            }
        } else if let Some(value) = field(line, b"event:") {
            is_error = value == b"error";
        } else if line.is_empty() && data.is_some() {
            break;
        } else if line.is_empty() {
            is_error = false;
        }
    }
    Some(Event { is_error, data: data.unwrap_or_default() })
}

/// Returns the lines of a stream of events, which end with CR LF, with LF, or with CR alone.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let end = memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
        let (line, tail) = bytes.split_at(end);
        rest = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..));
        Some(line)
    })
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = line.strip_prefix(name)?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}
