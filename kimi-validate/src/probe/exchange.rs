//! Requests for a file, and what is made of their answers.

use std::{fmt, future::poll_fn, pin::pin, task::Poll};

use bytes::Buf;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use kimi_errors::BoxError;
use tower_service::Service;

use super::{head, magic::BLOCK_BYTES};
use crate::file_url::{Reason, Refused, RemoteUrl, UrlPolicy};

/// After how many frames others have their turn: 64. Ours: 1 MiB, as clients cut it.
const FRAMES_AT_ONCE: usize = 64;

/// Sends one request, to a client that is polled ready for it.
pub(super) async fn send<S, ReqBody, ResBody>(
    client: &S,
    method: Method,
    url: &RemoteUrl,
    user_agent: &HeaderValue,
    range: Option<HeaderValue>,
) -> Result<Response<ResBody>, Refused>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    ReqBody: Default,
{
    let mut request = Request::builder()
        .method(method)
        .uri(url.as_str())
        .header(header::ACCEPT, "*/*")
        // RFC 9110 §12.5.3. Without it, any coding may come.
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, user_agent)
        .body(ReqBody::default())
        .map_err(|error| Refused::because(Reason::Syntax, error))?;
    if let Some(range) = range {
        request.headers_mut().insert(header::RANGE, range);
    }
    let unreachable = |error: S::Error| Refused::because(Reason::Unreachable, error);
    let mut client = client.clone();
    poll_fn(|cx| client.poll_ready(cx)).await.map_err(unreachable)?;
    client.call(request).await.map_err(unreachable)
}

/// The first block, RFC 9110 §14.1.2.
pub(super) fn first_block() -> HeaderValue {
    HeaderValue::from_str(&format!("bytes=0-{}", BLOCK_BYTES - 1))
        .expect("digits may stand in a field")
}

/// Returns where an answer sends to, if that may be gone to.
pub(super) fn target(
    from: &RemoteUrl,
    headers: &HeaderMap,
    policy: &UrlPolicy,
) -> Result<RemoteUrl, Refused> {
    let location = headers.get(header::LOCATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let location = std::str::from_utf8(location).unwrap_or_default();
    // Where it leads is the server's, and not public: another caller may have set it up.
    let to = from.join(location, policy).map_err(|it| Refused::because(Reason::Redirect, it))?;
    if from.is_https() && !to.is_https() {
        return Err(Reason::Redirect.into());
    }
    Ok(to)
}

/// What was seen of a body.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The first bytes, `BLOCK_BYTES` at most.
    pub(super) block: Vec<u8>,
    /// Its length, if it was read to its end.
    pub(super) whole: Option<u64>,
}

/// Reads the first block, and all of a body that is not as long as its head said, or of which the head
/// said nothing. What is read beyond the block is counted and dropped, frame by frame.
///
/// A body that is never waited for, such as one of empty frames without end, would keep the thread to
/// itself, and the deadline from being looked at.
pub(super) async fn read<B>(
    body: B,
    announced: Option<u64>,
    max_bytes: u64,
) -> Result<Seen, Refused>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let mut seen = Seen::default();
    let mut bytes = 0_u64;
    let mut frames = 0_usize;
    loop {
        let is_as_announced = announced.is_some_and(|announced| bytes <= announced);
        if is_as_announced && seen.block.len() == BLOCK_BYTES {
            return Ok(seen);
        }
        if frames == FRAMES_AT_ONCE {
            frames = 0;
            give_way().await;
        }
        frames += 1;
        let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await else {
            seen.whole = Some(bytes);
            return Ok(seen);
        };
        let frame = frame.map_err(|error| Refused::because(Reason::Unreachable, error))?;
        let Ok(data) = frame.into_data() else { continue };
        bytes = bytes.saturating_add(data.remaining() as u64);
        if bytes > max_bytes {
            return Err(Reason::TooLarge.into());
        }
        keep(&mut seen.block, data);
    }
}

/// Ends the poll, and asks for the next.
async fn give_way() {
    let mut has_given_way = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_given_way, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn keep(block: &mut Vec<u8>, mut data: impl Buf) {
    while data.has_remaining() && block.len() < BLOCK_BYTES {
        let chunk = data.chunk();
        let taken = chunk.len().min(BLOCK_BYTES - block.len());
        block.extend_from_slice(&chunk[..taken]);
        data.advance(taken);
    }
}

/// A status with which no file comes, as the private cause of a refusal.
#[derive(Debug)]
struct NoFile(StatusCode);

impl fmt::Display for NoFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered with {}", self.0.as_u16())
    }
}

impl std::error::Error for NoFile {}

/// Refuses a part, where nobody has asked for one: it would pass for the whole.
pub(super) fn is_no_part(status: StatusCode) -> Result<(), Refused> {
    match status {
        StatusCode::PARTIAL_CONTENT => Err(Refused::because(Reason::Unreachable, NoFile(status))),
        _ => Ok(()),
    }
}

/// Refuses an answer that is not the file itself, as it is.
pub(super) fn is_file(status: StatusCode, headers: &HeaderMap) -> Result<(), Refused> {
    // 203 is a 200 through a proxy, RFC 9110 §15.3.4.
    if !matches!(status.as_u16(), 200 | 203 | 206) {
        return Err(Refused::because(Reason::Unreachable, NoFile(status)));
    }
    if head::is_encoded(headers) { Err(Reason::Encoded.into()) } else { Ok(()) }
}
