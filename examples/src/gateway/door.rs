//! What is read at the door of a request that is not a chat: its body, up to a limit.

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use kimi_errors::Error;

/// The largest body that asks for anything but a chat, in bytes: 64 KiB, many times the longest
/// token.
const MAX_BYTES: usize = 64 * 1024;

/// Reads the body of a request, whole. What it says is the upstream's business.
///
/// # Errors
///
/// [`ErrorKind::PayloadTooLarge`](kimi_errors::ErrorKind::PayloadTooLarge), or what it means that
/// the body broke, see [`Error::from_request_body`].
pub(super) async fn read(request: Request) -> Result<http::Request<Full<Bytes>>, Error> {
    let (head, body) = request.into_parts();
    let read = Limited::<Body>::new(body, MAX_BYTES).collect().await;
    let body = read.map_err(Error::from_request_body)?.to_bytes();
    Ok(http::Request::from_parts(head, Full::new(body)))
}
