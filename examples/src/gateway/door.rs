//! What is checked at the door: the content type, the size and the syntax of a body.

use std::io;

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full, Limited};
use kimi_errors::{BoxError, Error, ErrorKind, Lang, chain};
use serde::de::IgnoredAny;

use super::fields;

/// The largest request body, in bytes: 100 MiB, the limit that the article and kimi-free-api set
/// for a file, which may stand in the body as a `data:` URL.
pub const MAX_BODY_BYTES: usize = 100 * 1024 * 1024;

/// Reads the body of a request, whole.
///
/// # Errors
///
/// [`ErrorKind::UnsupportedMediaType`]; [`ErrorKind::PayloadTooLarge`]; [`ErrorKind::Cancelled`] if
/// the client leaves before the end; [`ErrorKind::Validation`] if the body's framing is wrong, or
/// its JSON, with the place where it goes wrong.
pub(super) async fn read_json(
    request: Request,
    lang: Lang,
) -> Result<http::Request<Full<Bytes>>, Error> {
    if !fields::is_json(request.headers()) {
        return Err(Error::new(ErrorKind::UnsupportedMediaType));
    }
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    check_syntax(&body, lang)?;
    Ok(http::Request::from_parts(head, Full::new(body)))
}

/// Reads a body up to [`MAX_BODY_BYTES`]. A length that the head announces is believed only where
/// it is too large: then nothing is read.
async fn read(body: Body) -> Result<Bytes, Error> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(Error::new(ErrorKind::PayloadTooLarge));
    }
    let read = Limited::new(body, MAX_BODY_BYTES).collect().await;
    Ok(read.map_err(broken)?.to_bytes())
}

/// Returns what a body that breaks means. The same broken connection would be the upstream's
/// failure, which is worth another try, if it were found without knowing whose body it is.
fn broken(error: BoxError) -> Error {
    let is_gone = is_gone(&error);
    let found = Error::from(error);
    let kind = match found.kind() {
        ErrorKind::PayloadTooLarge => return found,
        ErrorKind::Cancelled => ErrorKind::Cancelled,
        _ if is_gone => ErrorKind::Cancelled,
        _ => ErrorKind::Validation,
    };
    Error::new(kind).with_source(found)
}

/// Returns whether the client has left, so that nobody is there to be told.
fn is_gone(error: &BoxError) -> bool {
    let io = chain::find::<io::Error>(&**error).map(io::Error::kind);
    let hyper = chain::find::<hyper::Error>(&**error);
    hyper.is_some_and(hyper::Error::is_incomplete_message)
        || matches!(
            io,
            Some(
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionReset
            )
        )
}

/// Checks the syntax, keeps nothing. What the JSON says is the upstream's business.
fn check_syntax(body: &[u8], lang: Lang) -> Result<(), Error> {
    let Err(error) = serde_json::from_slice::<IgnoredAny>(body) else {
        return Ok(());
    };
    let (line, column) = (error.line(), error.column());
    let what = ErrorKind::Validation.message(lang);
    let message = match lang {
        Lang::Zh => format!("{what}：第{line}行第{column}列不是合法的JSON"),
        _ => format!("{what}: not JSON at line {line} column {column}"),
    };
    Err(Error::new(ErrorKind::Validation).with_message(message).with_source(error))
}
