//! Asks the server of a file how large the file is, and of which type, before anybody fetches it.
//!
//! A [`FileProbe`] sends by any tower service that is an HTTP client. It asks with `HEAD`, and for what
//! that does not tell with `GET` and the range of the first 4 KiB:
//!
//! | answer | what becomes of it |
//! |---|---|
//! | `HEAD` tells length and type | that is all, unless [the first block](FileProbe::with_first_block) is asked for too |
//! | `HEAD` is refused, as with 403, 405 or 501, or does not tell both | `GET` |
//! | the length is more than the [limit](FileProbe::with_max_bytes) | [`Reason::TooLarge`], -2004 with 413 |
//! | there is no length, or more comes than was announced | read and counted, up to the first byte too many |
//! | the type is not among [those allowed](FileProbe::with_types) | [`Reason::MediaType`], -2003 with 400 |
//! | there is no type, or one that says nothing, such as `application/octet-stream` | known by its first bytes, or not at all |
//! | it is compressed | `GET` if it was `HEAD`, else [`Reason::Encoded`]: nothing is inflated |
//! | 301, 302, 303, 307, 308 | followed, [3 times](crate::limits::MAX_REDIRECTS) at most, if the target is what the first may be, and not `http` after `https`; else [`Reason::Redirect`] |
//! | any other status, a failed connection, a broken body, no end before the deadline | [`Reason::Unreachable`], with one message for all |
//!
//! # Example
//!
//! ```
//! use http::{Request, Response};
//! use http_body_util::{Empty, Full};
//! use kimi_validate::{
//!     file_url::{Reason, RemoteUrl, UrlPolicy},
//!     probe::FileProbe,
//! };
//! use tower::service_fn;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), kimi_errors::BoxError> {
//! // A server of one file; in earnest, a client whose connector is of `connect`.
//! let client = service_fn(async |request: Request<Empty<bytes::Bytes>>| {
//!     assert_eq!(request.method(), "HEAD");
//!     let is_film = request.uri().path() == "/film.mp4";
//!     let bytes = if is_film { 104_857_601 } else { 104_857_600 };
//!     let media_type = if is_film { "video/mp4" } else { "application/pdf" };
//!     Response::builder()
//!         .header("content-length", bytes)
//!         .header("content-type", media_type)
//!         .body(Full::<bytes::Bytes>::default())
//! });
//! let probe = FileProbe::new(client);
//!
//! let url = RemoteUrl::parse("https://example.com/report.pdf", probe.policy())?;
//! let file = probe.check(&url).await?;
//! assert_eq!((file.media_type(), file.size().bytes()), ("application/pdf", 104_857_600));
//!
//! let url = RemoteUrl::parse("https://example.com/film.mp4", probe.policy())?;
//! assert_eq!(probe.check(&url).await.unwrap_err().reason(), Reason::TooLarge);
//! # Ok(())
//! # }
//! ```
//!
//! # Cost
//!
//! One request, or two, for each place. Memory: 4 KiB, and one frame of the client's, whatever the
//! length of the file; what the client has besides is its own, and `connect` has the numbers. A file
//! without a length is read whole, and dropped as it comes.
//!
//! # Cancellation
//!
//! Dropping the future drops the request, and with it, in most clients, the connection.
//!
//! # Caveats
//!
//! - **The probe does not dial.** Whether an address is a public one is for the client to see: see
//!   `connect`. A client that follows redirects by itself, that inflates bodies or goes through a proxy
//!   of the system's takes away what is promised here.
//! - An announced length is a claim, and so is a type; one in an answer to `HEAD` costs nothing, for
//!   what `GET` brings is another answer. [`FileProbe::with_first_block`] looks at that as well.
//!   [`FileProbe::fetch`] counts what really comes, and lets no more through than was found. Whoever
//!   hands the URL on instead, for others to fetch, has nothing but the claim.
//! - The file may be another one later, or for somebody else.

mod body;
mod exchange;
mod file_probe;
mod head;
mod info;
mod magic;
mod place;

pub use self::{
    body::FileBody,
    file_probe::FileProbe,
    info::{FileInfo, FileSize},
};

#[cfg(doc)]
use crate::file_url::Reason;
