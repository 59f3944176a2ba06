//! What is sent while a request for a stream waits for its turn.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use kimi_errors::{Error, ErrorKind};
#[cfg(feature = "validate")]
use kimi_validate::ChatRequest;
use tokio::time::{Sleep, sleep};

use super::ResponseBody;
use crate::{media::essence_of, sync::Lock};

/// A comment of an event stream, which its readers skip: WHATWG HTML §9.2.6.
const COMMENT: Bytes = Bytes::from_static(b": keep-alive\n\n");

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// The answer that is still to come, behind the head that has gone.
pub(super) type Coming<B, T> =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody<B, T>>, Error>> + Send>>;

/// Comments, one at once and then one in so much time, until an answer comes.
pub(super) struct KeptAlive<B, T> {
    /// In a lock that is never locked, so that the body can be shared, as some hosts ask.
    coming: Lock<Coming<B, T>>,
    every: Duration,
    /// When the next comment is due; `None` if it is now.
    next: Option<Pin<Box<Sleep>>>,
}

/// What there is to send.
pub(super) enum Sent<B, T> {
    Comment(Bytes),
    Answer(ResponseBody<B, T>),
    Failed(Error),
}

/// Returns whether a request asks for a stream of events, and for nothing else: by `"stream":true`
/// in a checked body, or by an `accept` that names that type alone (RFC 9110 §12.5.1).
pub(super) fn wants_events(head: &Parts) -> bool {
    if head.method == Method::HEAD {
        return false;
    }
    #[cfg(feature = "validate")]
    if let Some(chat) = head.extensions.get::<ChatRequest>() {
        return chat.is_stream();
    }
    let accepted = head.headers.get_all(header::ACCEPT).iter();
    let mut types = accepted
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter(|range| is_accepted(range))
        .map(essence_of)
        .filter(|essence| !essence.is_empty() && !essence.contains(&b'*'))
        .peekable();
    types.peek().is_some() && types.all(|it| it.eq_ignore_ascii_case(EVENT_STREAM.as_bytes()))
}

/// Whether the weight of a range, if it has one, is more than nothing.
fn is_accepted(range: &[u8]) -> bool {
    let weight = range.split(|byte| *byte == b';').skip(1).find_map(|parameter| {
        let parameter = parameter.trim_ascii();
        parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="))
    });
    weight.is_none_or(|weight| weight.iter().any(|digit| (b'1'..=b'9').contains(digit)))
}

impl<B, T> KeptAlive<B, T> {
    /// Returns the head that goes before the answer is there, with what follows it.
    pub(super) fn response(coming: Coming<B, T>, every: Duration) -> Response<ResponseBody<B, T>> {
        let kept_alive = Self { coming: Lock::new(coming), every, next: None };
        let mut response = Response::new(ResponseBody::kept_alive(kept_alive));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, EVENT_STREAM);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Sent<B, T>> {
        match self.coming.get_mut().as_mut().poll(cx) {
            Poll::Ready(Ok(answer)) => return Poll::Ready(read(answer)),
            Poll::Ready(Err(error)) => return Poll::Ready(Sent::Failed(error)),
            Poll::Pending => {}
        }
        if let Some(next) = &mut self.next {
            ready!(next.as_mut().poll(cx));
        }
        self.next = Some(Box::pin(sleep(self.every)));
        Poll::Ready(Sent::Comment(COMMENT))
    }
}

/// Returns what goes on after a head that said 200 and a stream of events.
fn read<B, T>(answer: Response<ResponseBody<B, T>>) -> Sent<B, T> {
    let (head, body) = answer.into_parts();
    let content_type = head.headers.get(header::CONTENT_TYPE);
    let is_stream = content_type
        .is_some_and(|it| essence_of(it.as_bytes()).eq_ignore_ascii_case(EVENT_STREAM.as_bytes()));
    if head.status == StatusCode::OK && is_stream {
        return Sent::Answer(body);
    }
    let error = kimi_errors::decode(head.status, &head.headers, &[]);
    Sent::Failed(error.unwrap_or_else(|| Error::new(ErrorKind::BadGateway)))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_stream_is_wanted_where_accept_names_its_type() {
        let wants = |accept: &[&str]| {
            let request =
                accept.iter().fold(Request::get("/"), |it, value| it.header("accept", *value));
            wants_events(&request.body(()).unwrap().into_parts().0)
        };
        for accept in [
            &["text/event-stream"][..],
            &["*/*", "text/*, TEXT/event-stream ; q=0.1"],
            &["text/event-stream; charset=utf-8", "application/json;q=0"],
        ] {
            assert!(wants(accept), "{accept:?}");
        }
        for accept in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/json"],
            &["text/event-streams"],
            &["text/event-stream;q=0", "*/*"],
            &["text/event-stream; Q=0.000"],
            // It would rather have, or bear, the answer as it comes.
            &["application/json, text/event-stream"],
        ] {
            assert!(!wants(accept), "{accept:?}");
        }
        let head = Request::head("/").header("accept", "text/event-stream").body(());
        assert!(!wants_events(&head.unwrap().into_parts().0));
    }
}
