//! The caller by a field that someone trusted has set.

use http::{HeaderName, request::Parts};
use kimi_errors::{Error, ErrorKind};

use super::{ExtractKey, Key, KeyHasher};

/// The caller by the value of a field, such as the `x-tenant-id` that a trusted gateway sets.
///
/// ```text
/// x-tenant-id: acme
/// ```
///
/// The gateway has to set it in place of what the caller sent, or everybody chooses a key. A field
/// that stands there twice is therefore refused: one of the two is probably the caller's own, and
/// nobody can tell which. Blanks around the value do not count, and a blank field is missing.
///
/// # Errors
///
/// [`Validation`](ErrorKind::Validation) with the field's name as its `param`: the field is there
/// twice, or is missing under [`Missing::Refuse`].
#[derive(Clone, Debug)]
pub struct HeaderKey {
    field: HeaderName,
    missing: Missing,
}

impl HeaderKey {
    /// Creates an extractor of this field. Whoever lacks it shares one key:
    /// [`Missing::Shared`].
    #[must_use]
    pub const fn new(field: HeaderName) -> Self {
        Self { field, missing: Missing::Shared }
    }

    /// Sets what becomes of a request without the field.
    #[must_use]
    pub const fn with_missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    fn refusal(&self) -> Error {
        Error::new(ErrorKind::Validation).with_param(self.field.as_str())
    }
}

impl ExtractKey for HeaderKey {
    fn extract(&self, head: &Parts, hasher: &KeyHasher) -> Result<Option<Key>, Error> {
        let mut values = head.headers.get_all(&self.field).iter();
        let value = values.next().map_or(&[][..], |value| value.as_bytes().trim_ascii());
        if values.next().is_some() {
            return Err(self.refusal());
        }
        match self.missing {
            _ if !value.is_empty() => Ok(Some(hasher.key(&[value]))),
            Missing::Shared => Ok(Some(hasher.key(&[]))),
            Missing::Exempt => Ok(None),
            Missing::Refuse => Err(self.refusal()),
        }
    }
}

/// What becomes of a request without the field of a [`HeaderKey`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Missing {
    /// All who lack it are one caller together. The default: leaving it out evades no limit.
    #[default]
    Shared,
    /// It is nobody's, and passes uncounted. Only where nobody outside can leave the field out.
    Exempt,
    /// It is refused as [`Validation`](ErrorKind::Validation).
    Refuse,
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn extract(missing: Missing, values: &[&str]) -> Result<Option<Key>, Error> {
        let extractor = HeaderKey::new(HeaderName::from_static("x-tenant-id"));
        assert_eq!(extractor.missing, Missing::default());
        let request =
            values.iter().fold(Request::get("/"), |it, value| it.header("x-tenant-id", *value));
        let head = request.body(()).unwrap().into_parts().0;
        extractor.with_missing(missing).extract(&head, &KeyHasher::with_secret(&[7; 16]))
    }

    #[test]
    fn a_caller_is_the_value() {
        let key = |value: &str| extract(Missing::Refuse, &[value]).unwrap().unwrap();
        assert_eq!(key(" acme "), key("acme"));
        let long = "a".repeat(100_000);
        let others = [key("acme"), key("Acme"), key("a c"), key(&long), key(&long[1..])];
        for (number, one) in others.iter().enumerate() {
            assert!(!others[number + 1..].contains(one), "{number}");
        }
    }

    #[test]
    fn whoever_lacks_it_shares_or_is_exempt_or_is_refused() {
        for values in [&[][..], &[""], &[" \t"]] {
            let shared = extract(Missing::Shared, values).unwrap();
            assert_eq!(shared, extract(Missing::Shared, &[]).unwrap());
            assert!(shared.is_some() && shared != extract(Missing::Shared, &["acme"]).unwrap());
            assert_eq!(extract(Missing::Exempt, values).unwrap(), None);
            let refused = extract(Missing::Refuse, values).unwrap_err();
            assert_eq!((refused.errcode(), refused.param()), (-1001, Some("x-tenant-id")));
        }
    }

    #[test]
    fn whoever_has_it_twice_is_refused_whatever_the_policy() {
        for missing in [Missing::Shared, Missing::Exempt, Missing::Refuse] {
            for values in [["acme", "evil"], ["acme", "acme"], ["", "acme"], ["", ""]] {
                let refused = extract(missing, &values).unwrap_err();
                assert_eq!((refused.errcode(), refused.param()), (-1001, Some("x-tenant-id")));
            }
        }
    }
}
