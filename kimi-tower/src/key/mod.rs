//! Which caller a request belongs to.
//!
//! An [`ExtractKey`] reads a request's head and makes a [`Key`] of what it finds, with a
//! [`KeyHasher`]. Layers that keep something for each caller keep it by that key: 16 bytes that
//! stand for a credential and tell nothing of it.
//!
//! | extractor | a caller is | without it |
//! |---|---|---|
//! | [`ApiKey`], the default of layers | a credential | all of them are one caller |
//! | [`HeaderKey`] | the value of a field that a trusted gateway sets | one caller, exempt, or refused: [`Missing`] |
//! | [`ClientAddress`] | the address of the client, behind proxies that are trusted | an error of ours |
//! | [`UpstreamAccount`] | an authority and a credential, for a client | one account of each authority |
//! | [`Everyone`] | everybody | |
//! | a closure | what it says | what it says |
//!
//! # Example
//!
//! ```
//! use http::{HeaderName, Request, request::Parts};
//! use kimi_errors::{BoxError, Error, ErrorKind};
//! use kimi_tower::key::{ApiKey, ExtractKey, HeaderKey, KeyHasher, Missing};
//!
//! # fn main() -> Result<(), BoxError> {
//! let request = Request::get("/v1/chats/c-1").header("authorization", "Bearer sk-1").body(())?;
//! let (head, ()) = request.into_parts();
//! let hasher = KeyHasher::new();
//!
//! let caller = ApiKey::new().extract(&head, &hasher)?;
//! assert!(caller.is_some());
//!
//! // It has no tenant, and must.
//! let tenant = HeaderKey::new(HeaderName::from_static("x-tenant-id"));
//! let refused = tenant.with_missing(Missing::Refuse).extract(&head, &hasher).unwrap_err();
//! assert_eq!((refused.kind(), refused.param()), (ErrorKind::Validation, Some("x-tenant-id")));
//!
//! // A key of one's own: the conversation, whoever asks.
//! let conversation = |head: &Parts, hasher: &KeyHasher| {
//!     let id = head.uri.path().strip_prefix("/v1/chats/");
//!     Ok::<_, Error>(id.map(|id| hasher.key(&[id.as_bytes()])))
//! };
//! let key = conversation.extract(&head, &hasher)?;
//! assert!(key.is_some() && key != caller);
//! # Ok(())
//! # }
//! ```
//!
//! # Caveats
//!
//! - A key is made of what was sent, and not of what was verified. Whoever makes up credentials gets
//!   a key for each: a limit by [`ApiKey`] is one of the valid ones, and guessing is limited by
//!   [`ClientAddress`], outside of it, or by authenticating outside of both.
//! - A credential that changes with every request, such as a signature, is another caller each time.
//!   Of a list of tokens, as `kimi-free-api` takes it, every order is another caller.
//! - `x-forwarded-for` and `forwarded` are what someone wrote. They are believed only if the peer is
//!   a trusted proxy, and only so far as trusted ones wrote them.
//! - An address is no person. Whoever is behind the same NAT is one caller, thousands at some
//!   providers of mobile access; and whoever has many IPv6 networks is many: a /48 has 65 536 of the
//!   /64 that count as one.
//! - Keys of different extractors may be equal: what is kept by key is kept by those of one.

mod address;
mod api_key;
mod everyone;
mod extract;
mod hasher;
mod header_key;
#[cfg(feature = "rate-limit")]
mod map;
mod upstream_account;

pub use self::{
    address::{Cidr, CidrError, ClientAddress},
    api_key::ApiKey,
    everyone::Everyone,
    extract::{ExtractKey, Key},
    hasher::KeyHasher,
    header_key::{HeaderKey, Missing},
    upstream_account::UpstreamAccount,
};

#[cfg(feature = "rate-limit")]
pub(crate) use self::map::KeyMap;
