//! What the mock received.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use tokio::time::Instant;

/// A request as it was received.
///
/// `Debug` shows neither credentials, nor the query, nor the body.
#[derive(Clone)]
pub struct Recorded {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) at: Instant,
    pub(super) overlap: usize,
}

impl Recorded {
    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// Returns the query, without the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// Returns the fields of the head.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the whole body; as much of it as was read, if it was too large or broke off.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns when the whole request had been received.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Returns how many requests of its conversation were in flight then, itself included; 0 if
    /// it has no conversation.
    #[must_use]
    pub fn overlap(&self) -> usize {
        self.overlap
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("method", &self.method)
            .field("path", &self.path())
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .field("at", &self.at)
            .field("overlap", &self.overlap)
            .finish_non_exhaustive()
    }
}

/// Marks the fields that hold credentials, so that no `Debug` of the head shows them.
pub(super) fn mark_secrets(headers: &mut HeaderMap) {
    let secret = |name: &header::HeaderName| {
        *name == header::AUTHORIZATION
            || *name == header::PROXY_AUTHORIZATION
            || *name == header::COOKIE
            || *name == "x-api-key"
    };
    let fields = headers.iter_mut().filter(|(name, _)| secret(name));
    fields.for_each(|(_, value): (_, &mut HeaderValue)| value.set_sensitive(true));
}
