//! Error taxonomy, envelope and wire forms of the Kimi chat API: one [`Error`], many ways to write
//! it and to read it back.
//!
//! It does no I/O, knows no runtime and retries nothing: it says what an error is and what would
//! help. `kimi-tower` has the layers that act on it, `kimi-validate` the checks that find one.
//!
//! ```text
//!  what strangers answer            what programs branch on               what we answer
//!
//!  errcode, free-api, OpenAI,       Error ─ ErrorKind ─┬─ RetryAdvice     errcode, free-api,
//!  web, Connect, gRPC, HTML,   ──►    │                ├─ Fault       ──► OpenAI, compat, gRPC;
//!  in a head, a body, a stream      message, data,     ├─ causes          as head and body, SSE
//!                                   request id, wait   └─ remedies        event or trailers
//! ```
//!
//! # Kinds
//!
//! Programs branch on the [`ErrorKind`]; everything else follows from it. A bold kind owns its
//! errcode. The others borrow the one with which a client that knows only the article does the
//! right thing. [`diagnose`] has the whole table in both languages, with platform types and gRPC
//! codes, and every kind's causes and remedies.
//!
#![doc = include_str!("../docs/kinds.en.md")]
//!
//! # Example
//!
//! A service refuses a request, in whichever form its client understands, and the client acts on
//! what it reads:
//!
//! ```
//! use std::time::Duration;
//!
//! use kimi_errors::{Dialect, Envelope, Error, ErrorKind, Lang, RetryAdvice};
//!
//! // The service.
//! let error = Error::new(ErrorKind::StreamBusy)
//!     .with_retry_after(Duration::from_secs(2))
//!     .with_request_id("req-7");
//! let body = Dialect::Errcode.body(&error);
//! assert_eq!(Dialect::Errcode.status(&error), 429);
//! assert_eq!(body, r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#.as_bytes());
//!
//! // The client.
//! let envelope: Envelope<String> = serde_json::from_slice(&body)?;
//! let received = envelope.into_result().unwrap_err();
//! assert_eq!(received.kind(), ErrorKind::StreamBusy);
//! assert_eq!(received.advice(), RetryAdvice::AfterStream);
//! assert_eq!(
//!     received.kind().remedies(Lang::En)[0],
//!     "queue requests per conversation; send when the running stream ends",
//! );
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Features
//!
//! All of them add; none changes what is there without it.
//!
//! | feature | adds |
//! |---|---|
//! | `http` (default) | heads and trailers: [`decode`], [`retry_after`], [`Dialect::headers`], [`Dialect::response`], [`Error::with_header`], [`grpc`] |
//! | `axum` | `Error` is an axum `IntoResponse`; with it `http` |
//! | `tonic` | `tonic::Status` both ways; with it `http` |
//! | `hyper` | the errors of `http-body-util`, `hyper` and `h2` are recognized in a source chain |
//! | `hyper-util` | those of `hyper-util`'s client, and so of `reqwest`, are, too; with it `hyper` |
//! | `tower` | those of tower's time-out and load-shed layers are, too |
//!
//! # Minimum supported Rust version
//!
//! Rust 1.88. Raising it is a minor release.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "http"),
    expect(
        rustdoc::broken_intra_doc_links,
        rustdoc::private_intra_doc_links,
        reason = "the pages tell of what the feature adds"
    )
)]

mod advice;
#[cfg(feature = "axum")]
mod axum;
pub mod chain;
#[cfg(feature = "http")]
mod clock;
mod decode;
pub mod diagnose;
mod dialect;
mod envelope;
pub mod errcode;
mod error;
mod kind;
mod lang;
mod protobuf;
mod redact;
mod scan;
#[cfg(feature = "tonic")]
mod tonic;
mod wait;

#[cfg(feature = "http")]
pub use self::dialect::grpc;
pub use self::{
    advice::RetryAdvice,
    decode::{DECODE_LIMIT, decode_body, decode_event},
    dialect::Dialect,
    envelope::Envelope,
    error::{BoxError, Error, Received},
    kind::{ErrorKind, Fault, GrpcCode},
    lang::{Lang, UnknownName},
    wait::Wait,
};
#[cfg(feature = "http")]
pub use self::{decode::decode, wait::retry_after};
