use http::{HeaderName, request::Parts};
use kimi_errors::{Error, ErrorKind};
#[cfg(feature = "validate")]
use kimi_validate::ChatRequest;

use crate::key::{ApiKey, ExtractKey, Key, KeyHasher};

/// The longest id that a session is known by: 256 bytes. Ours, and the same as
/// `kimi_validate::limits::MAX_NAME_BYTES`.
const MAX_BYTES: usize = 256;

/// The session by the conversation that a request names, and by who asks: two callers who name the
/// same conversation have a session each, so that none can keep the other waiting, or find out that
/// it is there.
///
/// Unless [a field](Self::in_field) is named, the conversation is the `conversation_id` of the
/// `ChatRequest` among the request's extensions, which a `ValidateLayer` outside puts there; that
/// takes feature `validate`. A request that names none is nobody's and passes.
///
/// ```text
/// {"conversation_id":"cnm123","messages":[…]}
/// x-conversation-id: cnm123
/// ```
///
/// # Errors
///
/// [`Validation`](ErrorKind::Validation), -1001, with the field's name as its `param`: the field is
/// there twice, is empty, is longer than 256 bytes, or has something else in it than visible ASCII
/// characters. What the body says is for `ValidateLayer` to judge; an empty id there names none.
#[derive(Clone, Debug, Default)]
pub struct Conversation<C = ApiKey> {
    field: Option<HeaderName>,
    caller: C,
}

impl Conversation {
    /// Creates an extractor of what the body names, apart for each [`ApiKey`].
    #[must_use]
    pub const fn new() -> Self {
        Self { field: None, caller: ApiKey::new() }
    }

    /// Creates an extractor of what this field names, apart for each [`ApiKey`].
    #[must_use]
    pub const fn in_field(field: HeaderName) -> Self {
        Self { field: Some(field), caller: ApiKey::new() }
    }
}

impl<C> Conversation<C> {
    /// Sets who is apart from whom: [`UpstreamAccount`](crate::key::UpstreamAccount) on the side of
    /// a client of several upstreams, [`Everyone`](crate::key::Everyone) where all share their
    /// conversations. Default: [`ApiKey`]. Who is nobody to it is one together with all who are.
    #[must_use]
    pub fn with_caller<T>(self, caller: T) -> Conversation<T> {
        Conversation { field: self.field, caller }
    }

    fn named(&self, head: &Parts, caller: Option<Key>, hasher: &KeyHasher) -> Named {
        let key = |id: &[u8]| {
            let [one, two] = caller.map_or([0; 2], |caller| caller.0).map(u64::to_le_bytes);
            hasher.key(&[&one, &two, id])
        };
        let Some(field) = &self.field else { return in_body(head, key) };
        let mut values = head.headers.get_all(field).iter();
        let Some(value) = values.next() else { return Named::None };
        let id = value.as_bytes().trim_ascii();
        let is_sound =
            !id.is_empty() && id.len() <= MAX_BYTES && id.iter().all(u8::is_ascii_graphic);
        if is_sound && values.next().is_none() { Named::Key(key(id)) } else { Named::Malformed }
    }
}

/// What a request names.
enum Named {
    None,
    Key(Key),
    Malformed,
}

#[cfg(feature = "validate")]
fn in_body(head: &Parts, key: impl FnOnce(&[u8]) -> Key) -> Named {
    let chat = head.extensions.get::<ChatRequest>();
    match chat.and_then(ChatRequest::conversation_id) {
        Some(id) if !id.is_empty() => Named::Key(key(id.as_bytes())),
        Some(_) | None => Named::None,
    }
}

#[cfg(not(feature = "validate"))]
fn in_body(_: &Parts, _: impl FnOnce(&[u8]) -> Key) -> Named {
    Named::None
}

impl<C: ExtractKey> ExtractKey for Conversation<C> {
    fn extract(&self, head: &Parts, hasher: &KeyHasher) -> Result<Option<Key>, Error> {
        let caller = self.caller.extract(head, hasher)?;
        match self.named(head, caller, hasher) {
            Named::None => Ok(None),
            Named::Key(key) => Ok(Some(key)),
            Named::Malformed => {
                let field = self.field.as_ref().map_or("conversation_id", HeaderName::as_str);
                Err(Error::new(ErrorKind::Validation).with_param(field))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::key::Everyone;

    const FIELD: HeaderName = HeaderName::from_static("x-conversation-id");

    fn head(caller: &str, ids: &[&[u8]]) -> Parts {
        let request = ids.iter().fold(Request::get("/"), |it, id| it.header(FIELD, *id));
        request.header("authorization", caller).body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_conversation_is_of_its_caller() {
        let hasher = KeyHasher::new();
        let key = |head: Parts| Conversation::in_field(FIELD).extract(&head, &hasher).unwrap();
        let one = key(head("Bearer one", &[b"c-1"]));
        assert!(one.is_some());
        assert_eq!(one, key(head("bearer one", &[b" c-1 "])));
        assert_ne!(one, key(head("Bearer two", &[b"c-1"])));
        assert_ne!(one, key(head("Bearer one", &[b"c-2"])));
        assert_eq!(None, key(head("Bearer one", &[])));

        let shared = Conversation::in_field(FIELD).with_caller(Everyone::new());
        let key = |head: Parts| shared.extract(&head, &hasher).unwrap();
        assert_eq!(key(head("Bearer one", &[b"c-1"])), key(head("Bearer two", &[b"c-1"])));
    }

    #[test]
    fn an_id_that_is_none_is_refused() {
        let long = [b'x'; 257];
        let cases: [&[&[u8]]; 6] =
            [&[b"a", b"a"], &[b""], &[b"  "], &[&long], &[b"a b"], &["会话".as_bytes()]];
        for ids in cases {
            let refused = Conversation::in_field(FIELD)
                .extract(&head("Bearer one", ids), &KeyHasher::new())
                .unwrap_err();
            assert_eq!(
                (refused.errcode(), refused.param()),
                (-1001, Some(FIELD.as_str())),
                "{ids:?}"
            );
        }
        assert!(
            Conversation::in_field(FIELD)
                .extract(&head("Bearer one", &[&long[1..]]), &KeyHasher::new())
                .is_ok()
        );
    }

    #[cfg(feature = "validate")]
    #[test]
    fn the_body_names_it_where_no_field_does() {
        use kimi_validate::Profile;

        let hasher = KeyHasher::new();
        let key = |id: &str| {
            let mut head = head("Bearer one", &[]);
            let body = format!(r#"{{{id}"messages":[{{"role":"user","content":"x"}}]}}"#);
            head.extensions.insert(
                ChatRequest::parse(bytes::Bytes::from(body), &Profile::free_api()).unwrap(),
            );
            Conversation::new().extract(&head, &hasher).unwrap()
        };
        let one = key(r#""conversation_id":"c-1","#);
        assert!(one.is_some());
        assert_eq!(one, key(r#""conversation_id":"c\u002d1","#));
        assert_ne!(one, key(r#""conversation_id":"c-2","#));
        assert_eq!(None, key(""));
        assert_eq!(None, key(r#""conversation_id":"","#));
    }
}
