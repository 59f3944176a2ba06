//! The caller by its credential.

use http::{HeaderMap, HeaderName, HeaderValue, header, header::GetAll, request::Parts};
use kimi_errors::Error;

use super::{ExtractKey, Key, KeyHasher, hasher::Hashing};

/// Where a credential may stand, the first that does counting alone: as the platform and its like
/// want it, in their OpenAI and their Anthropic form, as Azure does, and as a browser has it.
static CREDENTIALS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    header::COOKIE,
];

/// The caller by its credential: of `authorization`, `x-api-key`, `api-key` and `cookie` the first
/// that is there and not blank, and it alone.
///
/// So nobody gets a second key by sending a second credential beside a valid one. That is right if
/// the service looks at them in the same order. One that looks elsewhere names its one field:
/// [`in_field`](Self::in_field).
///
/// ```text
/// authorization: Bearer sk-1      the caller sk-1
/// authorization: bearer   sk-1    the same
/// authorization: sk-1             the same: kimi-free-api takes it without a scheme
/// authorization: Bearer T1,T2     one caller, and neither T1 nor T2: such is kimi-free-api's list
/// x-api-key: sk-1                 another: no field passes for another
/// ```
///
/// - The scheme does not count, in whatever case it is written (RFC 9110 §11.1), nor do blanks
///   around it. Neither does `Bearer` without a token.
/// - Whoever sends no credential is one caller together with all who send none, so that nobody
///   evades a limit by leaving it out.
/// - So is whoever sends `authorization`, or an API key's field, twice, since nobody can tell which
///   of them counts elsewhere. The lines of a cookie are one (RFC 9113 §8.2.3).
/// - A cookie counts whole, and a caller can write into it whatever it likes. If the service
///   authenticates by cookie, take out the one that it reads, with a closure.
///
/// Never an error, and never `None`.
///
/// ```
/// use http::Request;
/// use kimi_errors::BoxError;
/// use kimi_tower::key::{ApiKey, ExtractKey, KeyHasher};
///
/// let hasher = KeyHasher::new();
/// let key = |authorization: &str, junk: &str| {
///     let request = Request::get("/").header("authorization", authorization);
///     let head = request.header("x-api-key", junk).body(())?.into_parts().0;
///     Ok::<_, BoxError>(ApiKey::new().extract(&head, &hasher)?)
/// };
/// let caller = key("Bearer sk-1", "")?;
/// assert_eq!(key("bearer  sk-1", "junk")?, caller);
/// assert_ne!(key("Bearer sk-2", "")?, caller);
/// # Ok::<_, BoxError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ApiKey {
    field: Option<HeaderName>,
}

impl ApiKey {
    /// Creates an extractor that looks at the four fields in their order.
    #[must_use]
    pub const fn new() -> Self {
        Self { field: None }
    }

    /// Creates an extractor that looks at this field alone, the one by which the service
    /// authenticates.
    #[must_use]
    pub const fn in_field(field: HeaderName) -> Self {
        Self { field: Some(field) }
    }

    /// Returns the number of the field that counts, and what it says; `None` if there is none.
    #[inline]
    fn find<'a>(&self, headers: &'a HeaderMap) -> Option<(u8, Credential<'a>)> {
        match &self.field {
            Some(field) => Credential::find(headers, field).map(|found| (1, found)),
            None => CREDENTIALS.iter().zip(1..).find_map(|(field, number)| {
                Credential::find(headers, field).map(|found| (number, found))
            }),
        }
    }

    /// Hashes the credential, or nothing if there is none.
    pub(super) fn write(&self, headers: &HeaderMap, hashing: &mut Hashing) {
        Self::write_found(self.find(headers), hashing);
    }

    fn write_found(found: Option<(u8, Credential<'_>)>, hashing: &mut Hashing) {
        match found {
            // With the number of its field, so that none passes for another's.
            Some((number, Credential::One(value))) => hashing.numbered_part(number, value),
            // A cookie is the one that has none.
            Some((_, Credential::Cookie(lines))) => {
                hashing.joined(lines.iter().map(trimmed), b"; ");
            }
            Some((_, Credential::Several)) | None => {}
        }
    }
}

impl ExtractKey for ApiKey {
    #[inline]
    fn extract(&self, head: &Parts, hasher: &KeyHasher) -> Result<Option<Key>, Error> {
        let found = self.find(&head.headers);
        // As nearly all are.
        if let Some((number, Credential::One(value))) = found {
            return Ok(Some(hasher.single(number, value)));
        }
        let mut hashing = hasher.start();
        Self::write_found(found, &mut hashing);
        Ok(Some(hashing.key()))
    }
}

/// What a field says about who is calling.
enum Credential<'a> {
    One(&'a [u8]),
    Cookie(GetAll<'a, HeaderValue>),
    /// More than one where one belongs. The fields after it do not count, or they would give
    /// whoever sends two as many keys as it likes.
    Several,
}

impl<'a> Credential<'a> {
    /// Returns what the field says; `None` if it is not there, or blank.
    #[inline]
    fn find(headers: &'a HeaderMap, field: &HeaderName) -> Option<Self> {
        let lines = headers.get_all(field);
        let mut values = lines.iter();
        let value = trimmed(values.next()?);
        if *field == header::COOKIE {
            let is_blank = value.is_empty() && values.all(|value| trimmed(value).is_empty());
            return (!is_blank).then_some(Self::Cookie(lines));
        }
        if values.next().is_some() {
            return Some(Self::Several);
        }
        let has_scheme = *field == header::AUTHORIZATION || *field == header::PROXY_AUTHORIZATION;
        let value = if has_scheme { without_scheme(value) } else { value };
        (!value.is_empty()).then_some(Self::One(value))
    }
}

#[inline]
fn trimmed(value: &HeaderValue) -> &[u8] {
    value.as_bytes().trim_ascii()
}

/// Returns what stands after the scheme, or all if there is none.
#[inline]
fn without_scheme(value: &[u8]) -> &[u8] {
    // As nearly every client writes it.
    if let Some(token) = value.strip_prefix(b"Bearer ")
        && token.first().is_some_and(u8::is_ascii_graphic)
    {
        return token;
    }
    match value.iter().position(|byte| matches!(byte, b' ' | b'\t')) {
        Some(end) => value[end..].trim_ascii_start(),
        None if value.eq_ignore_ascii_case(b"bearer") => &[],
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    type Fields<'a> = &'a [(&'a str, &'a str)];

    fn key(extractor: &ApiKey, fields: Fields<'_>) -> Key {
        let hasher = KeyHasher::with_secret(&[7; 16]);
        let request = fields.iter().fold(Request::get("/"), |it, (name, value)| {
            it.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
        });
        let head = request.body(()).unwrap().into_parts().0;
        extractor.extract(&head, &hasher).unwrap().unwrap()
    }

    #[test]
    fn one_caller_is_one_however_it_is_written() {
        let same: &[&[Fields<'_>]] = &[
            &[
                &[("authorization", "Bearer sk-1")],
                &[("authorization", "bearer sk-1")],
                &[("authorization", "BEARER  \t sk-1")],
                &[("authorization", "  Bearer sk-1\t")],
                &[("authorization", "sk-1")],
                &[("authorization", "Basic sk-1")],
                // No second key for junk beside it, wherever it stands.
                &[("cookie", "j"), ("authorization", "Bearer sk-1")],
                &[("authorization", "Bearer sk-1"), ("x-api-key", "j"), ("api-key", "j")],
                &[("x-api-key", "j"), ("x-api-key", "i"), ("authorization", "sk-1")],
            ],
            &[&[("authorization", "Bearer SK-1")]],
            &[&[("authorization", "Bearer T1,T2")]],
            &[&[("authorization", "Bearer T1")]],
            &[
                &[("x-api-key", "sk-1")],
                &[("x-api-key", " sk-1 "), ("api-key", "j")],
                &[("authorization", "Bearer "), ("x-api-key", "sk-1")],
            ],
            // Not after a scheme, which this field has not.
            &[&[("x-api-key", "Bearer sk-1")]],
            &[&[("api-key", "sk-1")], &[("api-key", "sk-1"), ("cookie", "j")]],
            &[&[("cookie", "sk-1")]],
            &[&[("cookie", "a=1; b=2")], &[("cookie", "a=1"), ("cookie", "b=2")]],
            &[&[("cookie", "b=2"), ("cookie", "a=1")]],
            // Nobody in particular.
            &[
                &[],
                &[("accept", "*/*")],
                &[("authorization", "")],
                &[("authorization", "Bearer")],
                &[("authorization", "beareR \t")],
                &[("cookie", ""), ("cookie", " ")],
                &[("authorization", "Bearer sk-1"), ("authorization", "junk")],
                &[("authorization", "junk"), ("authorization", "Bearer sk-1")],
                &[("authorization", "junk"), ("authorization", "i"), ("x-api-key", "sk-1")],
                &[("api-key", "k"), ("api-key", "k")],
            ],
        ];
        let keys: Vec<Vec<Key>> = same
            .iter()
            .map(|heads| heads.iter().map(|fields| key(&ApiKey::new(), fields)).collect())
            .collect();
        for (number, caller) in keys.iter().enumerate() {
            for (head, one) in caller.iter().enumerate() {
                assert_eq!(*one, caller[0], "{:?}", same[number][head]);
            }
            let others = keys[..number].iter().map(|others| others[0]);
            assert!(!others.into_iter().any(|other| other == caller[0]), "{:?}", same[number]);
        }
    }

    #[test]
    fn the_one_field_that_is_named_counts_alone() {
        let extractor = ApiKey::in_field(header::PROXY_AUTHORIZATION);
        let caller = key(&extractor, &[("proxy-authorization", "Bearer k")]);
        let more = [("authorization", "Bearer j"), ("proxy-authorization", "bearer  k")];
        assert_eq!(key(&extractor, &more), caller);
        assert_eq!(key(&extractor, &more[..1]), key(&extractor, &[]));
        assert_ne!(key(&extractor, &[]), caller);
    }

    proptest! {
        #[test]
        fn prop_callers_are_equal_where_their_tokens_are(
            one in "[a-b,]{1,3}",
            other in "[a-b,]{1,3}",
            scheme in "([Bb][Ee][Aa][Rr][Ee][Rr][ \t]{1,3})?",
            blanks in "[ \t]{0,2}",
            junk in "[ -~]{0,9}",
        ) {
            let value = format!("{blanks}{scheme}{other}{blanks}");
            let other_key = key(&ApiKey::new(), &[("cookie", &junk), ("authorization", &value)]);
            let one_key = key(&ApiKey::new(), &[("authorization", &format!("Bearer {one}"))]);
            prop_assert_eq!(one_key == other_key, one == other);
        }
    }
}
