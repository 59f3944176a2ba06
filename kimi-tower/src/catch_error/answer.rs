//! The one place that turns an error into a response.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use kimi_errors::{Dialect, Error, Lang, grpc};

use super::{
    body::{Form, ResponseBody},
    foreign,
};
use crate::media;

/// How errors are answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers {
    pub(super) dialect: Dialect,
    pub(super) lang: Lang,
    /// Whether the 4xx and 5xx of strangers are rewritten.
    pub(super) normalize: bool,
}

/// What the request lets its answer be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wire {
    /// A head and a body.
    Http,
    /// A head that describes a body, which must not follow: RFC 9110 §9.3.2.
    Head,
    /// gRPC: the outcome stands in trailers.
    Grpc,
}

impl Wire {
    #[inline]
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        // gRPC needs HTTP/2, and the version is cheaper to look at than a field.
        if request.version() >= Version::HTTP_2
            && request.headers().get(header::CONTENT_TYPE).is_some_and(media::is_grpc)
        {
            Self::Grpc
        } else if request.method() == Method::HEAD {
            Self::Head
        } else {
            Self::Http
        }
    }

    /// Returns whether `response` is to pass as it is, and can tell only by a body error that it
    /// failed.
    #[inline]
    pub(super) fn is_plain<B>(self, response: &Response<B>) -> bool {
        let is_plain = match self {
            Self::Http => !is_open_event_stream(response.headers()),
            Self::Head => true,
            Self::Grpc => false,
        };
        is_plain && !is_error(response.status())
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new()
    }
}

impl Answers {
    pub(super) const fn new() -> Self {
        Self { dialect: Dialect::Errcode, lang: Lang::Zh, normalize: true }
    }

    /// Returns the answer to a request that failed.
    #[cold]
    pub(super) fn refuse<B>(self, wire: Wire, error: Error) -> Response<ResponseBody<B>> {
        let error = error.with_lang(self.lang);
        let mut response = match wire {
            Wire::Grpc => grpc::trailers_only(&error).map(|()| Bytes::new()),
            Wire::Http | Wire::Head => self.dialect.response(&error),
        };
        if wire != Wire::Grpc && response.status() == StatusCode::OK {
            // A cache may keep a 200 of which nobody says so, RFC 9111 §4.2.2; but no POST, which
            // gRPC is.
            let field = response.headers_mut().entry(header::CACHE_CONTROL);
            field.or_insert(HeaderValue::from_static("no-store"));
        }
        if wire == Wire::Head {
            // Dropped here, since a server may send what it is given: hyper does over HTTP/2, which
            // breaks the stream. The length stays the one of the answer to GET.
            let body = std::mem::take(response.body_mut());
            response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
        }
        response.map(ResponseBody::whole)
    }

    /// Returns the inner service's answer; one that stands for an error is written anew.
    // For those that are not plain, so that the caller's way for the plain ones stays short.
    #[inline(never)]
    pub(super) fn pass<B>(self, wire: Wire, response: Response<B>) -> Response<ResponseBody<B>> {
        if is_error(response.status())
            && let Some(error) = self.error_of(&response)
        {
            return self.rewrite(wire, error, response);
        }
        let form = match wire {
            Wire::Http if is_open_event_stream(response.headers()) => Form::event_stream(self),
            Wire::Http | Wire::Head => Form::Plain,
            Wire::Grpc => Form::Grpc(self),
        };
        response.map(|body| ResponseBody::new(body, form))
    }

    /// Returns the error that a 4xx or 5xx stands for, unless it is to stay as it is.
    #[cold]
    fn error_of<B>(self, response: &Response<B>) -> Option<Error> {
        if let Some(error) = response.extensions().get::<Error>() {
            return Some(error.clone());
        }
        (self.normalize && foreign::is_foreign(response.headers()))
            .then(|| foreign::error(response.status()))
    }

    /// Puts the answer to `error` in place of `response`, whose other head fields stay.
    #[cold]
    fn rewrite<B>(self, wire: Wire, error: Error, old: Response<B>) -> Response<ResponseBody<B>> {
        tracing::debug!(
            kind = error.kind().name(),
            status = old.status().as_u16(),
            "an error answer was rewritten",
        );
        let (mut head, body) = old.into_parts();
        // Unread: what is in it was not meant for our caller.
        super::fence::discard(body);
        let answer = self.refuse(wire, error);
        foreign::strip_body(&mut head.headers);
        let (fresh, body) = answer.into_parts();
        if fresh.status != head.status {
            foreign::strip_status(&mut head.headers);
        }
        head.status = fresh.status;
        head.extensions.extend(fresh.extensions);
        for (name, value) in &fresh.headers {
            head.headers.insert(name, value.clone());
        }
        Response::from_parts(head, body)
    }

    /// Returns the error as the last event of a stream.
    pub(super) fn frame(self, error: Error) -> Vec<u8> {
        self.dialect.sse_frame(&error.with_lang(self.lang))
    }

    /// Returns the error as the trailers of a gRPC stream.
    pub(super) fn trailers(self, error: Error) -> HeaderMap {
        grpc::trailers(&error.with_lang(self.lang))
    }
}

fn is_error(status: StatusCode) -> bool {
    status.as_u16() >= 400
}

/// Returns whether an event can be added: an event stream of no announced length, not encoded.
#[inline]
fn is_open_event_stream(headers: &HeaderMap) -> bool {
    // Most often the first field is the type, and of something else: no need to look through all.
    let is_other = headers.iter().next().is_some_and(|(name, value)| {
        *name == header::CONTENT_TYPE && !media::is_type(value, b"text/event-stream")
    });
    !is_other && are_of_open_event_stream(headers)
}

/// The same, without a first look.
fn are_of_open_event_stream(headers: &HeaderMap) -> bool {
    let mut is_event_stream = false;
    // One look at each of a few names costs less than hashing a single one.
    for (name, value) in headers {
        if *name == header::CONTENT_TYPE {
            is_event_stream = media::is_type(value, b"text/event-stream");
            if !is_event_stream {
                return false;
            }
        } else if *name == header::CONTENT_LENGTH || *name == header::CONTENT_ENCODING {
            return false;
        }
    }
    is_event_stream
}
