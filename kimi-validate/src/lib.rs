//! Chat requests and file URLs of the Kimi API, checked before any work is done.
//!
//! A request that would be refused should be refused at the door: before a token is spent, a
//! limit is charged or a stream is opened, with every fault named at once and its place in the
//! input. This crate will hold those checks, and does no I/O by default.
//!
//! **Nothing is here yet but this page.** What comes, in this order:
//!
//! - `ChatRequest`, which exists only if well formed: one pass over the bytes, no tree in memory,
//!   all violations in input order, each with its JSON pointer (RFC 6901), rule and message in
//!   Chinese and English; answered as [`ErrorKind::Validation`], -1001 with HTTP 400.
//! - `FileUrl`, which exists only if it may be fetched: `http`, `https` or `data`, no address that
//!   is not public in whatever form it is written; answered as [`ErrorKind::FileUrlInvalid`] or
//!   [`ErrorKind::FileTooLarge`].
//!
//! Until then the `gateway` example checks content type, size and JSON syntax itself.
//!
//! # Minimum supported Rust version
//!
//! 1.88.
//!
//! [`ErrorKind::Validation`]: kimi_errors::ErrorKind::Validation
//! [`ErrorKind::FileUrlInvalid`]: kimi_errors::ErrorKind::FileUrlInvalid
//! [`ErrorKind::FileTooLarge`]: kimi_errors::ErrorKind::FileTooLarge
