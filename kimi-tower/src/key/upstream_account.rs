//! The account that a request is charged to, of several upstreams.

use http::{HeaderValue, header, request::Parts};
use kimi_errors::Error;

use super::{ApiKey, ExtractKey, Key, KeyHasher};

/// The account that a request is charged to: the authority asked and the credential it is asked
/// with, for one client of several upstreams.
///
/// The authority is that of the URI, else `host`, to the letter, since the client itself writes it.
/// The credential is that of an [`ApiKey`].
#[derive(Clone, Debug, Default)]
pub struct UpstreamAccount {
    credential: ApiKey,
}

impl UpstreamAccount {
    /// Creates an extractor with [`ApiKey::new`].
    #[must_use]
    pub const fn new() -> Self {
        Self { credential: ApiKey::new() }
    }

    /// Sets where the credential stands.
    #[must_use]
    pub fn with_credential(mut self, credential: ApiKey) -> Self {
        self.credential = credential;
        self
    }
}

impl ExtractKey for UpstreamAccount {
    #[inline]
    fn extract(&self, head: &Parts, hasher: &KeyHasher) -> Result<Option<Key>, Error> {
        let authority = match head.uri.authority() {
            Some(authority) => authority.as_str().as_bytes(),
            None => head.headers.get(header::HOST).map_or(&[][..], HeaderValue::as_bytes),
        };
        let mut hashing = hasher.start();
        hashing.part(authority);
        self.credential.write(&head.headers, &mut hashing);
        Ok(Some(hashing.key()))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Request};

    use super::*;

    fn key(extractor: &UpstreamAccount, uri: &str, fields: &[(&str, &str)]) -> Key {
        let request =
            fields.iter().fold(Request::get(uri), |it, (name, value)| it.header(*name, *value));
        let head = request.body(()).unwrap().into_parts().0;
        extractor.extract(&head, &KeyHasher::with_secret(&[7; 16])).unwrap().unwrap()
    }

    #[test]
    fn an_account_is_an_authority_and_a_credential() {
        let extractor = UpstreamAccount::new();
        let key = |uri: &str, fields: &[(&str, &str)]| key(&extractor, uri, fields);
        let authorization = ("authorization", "Bearer k");
        let account = key("http://a/x", &[authorization]);
        // Neither path nor `host` nor what stands beside it.
        let more = [("host", "b"), authorization, ("x-api-key", "j")];
        assert_eq!(key("http://a/y?z", &more), account);
        assert_eq!(key("/x", &[("host", "a"), authorization]), account);
        for other in [
            key("http://a/x", &[]),
            key("http://a/x", &[("authorization", "Bearer j")]),
            key("http://a/x", &[("x-api-key", "k")]),
            key("http://b/x", &[authorization]),
            key("http://a:81/x", &[authorization]),
            key("/x", &[authorization]),
        ] {
            assert_ne!(other, account);
        }
    }

    #[test]
    fn the_credential_may_stand_elsewhere() {
        let credential = ApiKey::in_field(HeaderName::from_static("x-api-key"));
        let extractor = UpstreamAccount::new().with_credential(credential);
        let key = |fields: &[(&str, &str)]| key(&extractor, "http://a/x", fields);
        assert_eq!(key(&[("authorization", "k")]), key(&[]));
        assert_ne!(key(&[("x-api-key", "k")]), key(&[]));
    }
}
