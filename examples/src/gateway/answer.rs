//! Tells an upstream's error from its success.

use std::{error::Error as StdError, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt as _;
use kimi_errors::{DECODE_LIMIT, Error, ErrorKind};
use tokio::time::Instant;

use super::{fields, peek::peek};

/// Returns the answer as it is to be passed on, or the error that it is.
///
/// An error is looked at, and so is a success that may be one in disguise: JSON, or a proxy's page.
/// A look ends where the body does, after 64 KiB, more than which is never read for its meaning,
/// or `look` after the head; what came by then decides. Any other success passes at once: a stream
/// would have to wait for its next piece, and what is compressed cannot be read.
///
/// # Errors
///
/// The error that the answer is, in whichever dialect; [`ErrorKind::BadGateway`] if it breaks
/// under the look or is no answer of an API (1xx, 3xx). Of a compressed error only status and head
/// are read. If the answer breaks later its body fails with [`ErrorKind::StreamTruncated`].
pub(super) async fn open<B>(answer: http::Response<B>, look: Duration) -> Result<Response, Error>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: StdError + Send + Sync,
{
    let (mut head, body) = answer.into_parts();
    fields::response(&mut head.headers);
    let is_encoded = fields::is_encoded(&head.headers);
    let may_be_error = fields::is_json(&head.headers) || fields::is_page(&head.headers);
    match head.status {
        status if status.is_success() && may_be_error && !is_encoded => {}
        status if status.is_success() => return Ok(Response::from_parts(head, told(body))),
        // The client has asked for it, with If-None-Match. It has no body.
        StatusCode::NOT_MODIFIED => return Ok(Response::from_parts(head, told(body))),
        // Its protocol or its place is the upstream's own, which no client of ours can use.
        status if status.is_informational() || status.is_redirection() => {
            tracing::warn!(%status, "the upstream does not answer but points elsewhere");
            return Err(Error::new(ErrorKind::BadGateway));
        }
        status if is_encoded => {
            tracing::warn!(%status, "the upstream's error is compressed, which nobody asked for");
            // Its status and its head still say something.
            let error = kimi_errors::decode(status, &head.headers, b"");
            return Err(error.unwrap_or_else(|| Error::new(ErrorKind::BadGateway)));
        }
        _ => {}
    }
    let (prefix, body) = peek(body, DECODE_LIMIT, Instant::now() + look).await;
    if let Some(error) = kimi_errors::decode(head.status, &head.headers, &prefix) {
        return Err(error);
    }
    match body {
        Ok(body) => Ok(Response::from_parts(head, told(body))),
        Err(broken) => Err(Error::new(ErrorKind::BadGateway).with_source(broken)),
    }
}

/// Names the failure of a body, which without its context is only a closed connection.
fn told<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: StdError + Send + Sync,
{
    Body::new(body.map_err(|broken| Error::new(ErrorKind::StreamTruncated).with_source(broken)))
}
