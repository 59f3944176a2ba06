//! What is asked of a request: of its head, before the body is read, and of its body.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, header, request::Parts};
use http_body::SizeHint;
use kimi_errors::{Error, ErrorKind, Lang};
use kimi_validate::{ChatRequest, Profile, Violations};

#[cfg(feature = "file-url")]
use super::files::Files;
use super::{
    RequestBody,
    collect::{Broken, Collected},
    probing::Probing,
};
use crate::{facts::Facts, media};

/// What a service asks of each request. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Check {
    profile: Arc<Profile>,
    pub(super) lang: Lang,
    pub(super) any_content_type: bool,
    #[cfg(feature = "file-url")]
    pub(super) files: Option<Files>,
}

/// A request that may pass, once what is asked of its files has an answer, if there is anything.
pub(super) type Checked<B> = (Request<RequestBody<B>>, Option<Probing>);

impl Check {
    pub(super) const fn new(profile: Arc<Profile>) -> Self {
        Self {
            profile,
            lang: Lang::Zh,
            any_content_type: false,
            #[cfg(feature = "file-url")]
            files: None,
        }
    }

    pub(super) fn max_bytes(&self) -> usize {
        self.profile.max_body_bytes()
    }

    /// Refuses what can be refused before a byte of the body is read.
    pub(super) fn head(&self, head: &Parts, hint: &SizeHint) -> Result<(), Error> {
        let said = Said::by(&head.headers);
        if !self.any_content_type && !said.is_json() {
            return Err(self.refusal(ErrorKind::UnsupportedMediaType));
        }
        if said.is_encoded {
            // RFC 9110 §15.5.16: the field says that it is the coding which is not understood.
            let identity = HeaderValue::from_static("identity");
            let refusal = self.refusal(ErrorKind::UnsupportedMediaType);
            return Err(refusal.with_header(header::ACCEPT_ENCODING, identity));
        }
        let announced = hint.lower().max(said.length());
        if announced > self.max_bytes() as u64 {
            return Err(self.too_large());
        }
        Ok(())
    }

    /// Returns the request as it is passed on, if its body came whole and is well formed.
    pub(super) fn request<B>(
        &self,
        mut head: Parts,
        body: Result<Collected, Broken>,
    ) -> Result<Checked<B>, Error> {
        let body = body.map_err(|broken| match broken {
            Broken::TooLarge => self.too_large(),
            Broken::Failed(error) => error.with_lang(self.lang),
        })?;
        let chat = self.chat(body.data.clone())?;
        let probing = self.files(&chat)?;
        if let Some(facts) = head.extensions.get::<Facts>() {
            facts.tell_chat(&chat);
        }
        head.extensions.insert(chat);
        Ok((Request::from_parts(head, RequestBody::collected(body)), probing))
    }

    fn chat(&self, data: Bytes) -> Result<ChatRequest, Error> {
        ChatRequest::parse(data, &self.profile).map_err(|violations| {
            // The pointer has no name but those of the rules, and nothing of what was sent.
            let first = violations.first();
            tracing::debug!(
                rule = first.rule().name(),
                pointer = first.pointer(),
                listed = violations.as_slice().len(),
                truncated = violations.truncated(),
                "a chat request was refused"
            );
            violations.into_error(self.lang)
        })
    }

    #[cfg(feature = "file-url")]
    fn files(&self, chat: &ChatRequest) -> Result<Option<Probing>, Error> {
        self.files.as_ref().map_or(Ok(None), |files| files.judge(chat, self.lang))
    }

    #[cfg(not(feature = "file-url"))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "with the feature it may fail"
    )]
    fn files(&self, _: &ChatRequest) -> Result<Option<Probing>, Error> {
        Ok(None)
    }

    fn too_large(&self) -> Error {
        Violations::too_large(self.max_bytes()).into_error(self.lang)
    }

    fn refusal(&self, kind: ErrorKind) -> Error {
        Error::new(kind).with_lang(self.lang)
    }
}

/// What a head says of its body. One look at each field costs less than to look a few names up.
#[derive(Debug, Default)]
struct Said<'a> {
    content_type: Option<&'a HeaderValue>,
    content_length: Option<&'a HeaderValue>,
    /// Whether the body is compressed, RFC 9110 §8.4.
    is_encoded: bool,
}

impl<'a> Said<'a> {
    fn by(headers: &'a HeaderMap) -> Self {
        let mut said = Self::default();
        for (name, value) in headers {
            if *name == header::CONTENT_TYPE {
                said.content_type.get_or_insert(value);
            } else if *name == header::CONTENT_LENGTH {
                said.content_length.get_or_insert(value);
            } else if *name == header::CONTENT_ENCODING {
                said.is_encoded |= media::names_coding(value);
            }
        }
        said
    }

    /// Returns whether the content type is `application/json` or another JSON one, such as
    /// `application/vnd.kimi+json`. Parameters do not matter: RFC 8259 §11 defines none.
    fn is_json(&self) -> bool {
        let Some(value) = self.content_type else { return false };
        // As nearly every client writes it.
        value == "application/json"
            || media::application(media::essence_of(value.as_bytes())).is_some_and(media::is_json)
    }

    /// Returns the length that is announced, 0 if none is: a body need not know it.
    fn length(&self) -> u64 {
        let value = self.content_length.and_then(|value| value.to_str().ok());
        value.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(name: &header::HeaderName, values: &[&'static str]) -> HeaderMap {
        let values = values.iter().map(|value| (name.clone(), HeaderValue::from_static(value)));
        values.collect()
    }

    #[test]
    fn json_goes_by_more_than_one_name() {
        for (value, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            (" application/json ;x", true),
            ("application/vnd.kimi+json", true),
            ("application/problem+JSON", true),
            ("", false),
            ("json", false),
            ("text/json", false),
            ("text/plain", false),
            ("application/", false),
            ("application/jsonp", false),
            ("application/json-seq", false),
            ("application/x-ndjson", false),
            ("multipart/form-data; boundary=application/json", false),
        ] {
            let fields = fields(&header::CONTENT_TYPE, &[value]);
            assert_eq!(Said::by(&fields).is_json(), expected, "{value:?}");
        }
        assert!(!Said::by(&HeaderMap::new()).is_json());
    }

    #[test]
    fn any_coding_but_identity_is_one() {
        for (values, expected) in [
            (&[][..], false),
            (&[""], false),
            (&["identity"], false),
            (&["Identity, identity"], false),
            (&["gzip"], true),
            (&["identity", "br"], true),
            (&["identity,br"], true),
        ] {
            let fields = fields(&header::CONTENT_ENCODING, values);
            assert_eq!(Said::by(&fields).is_encoded, expected);
        }
    }

    #[test]
    fn a_length_that_is_none_is_not_believed() {
        for (value, expected) in [("17", 17), ("", 0), ("-1", 0), ("99999999999999999999", 0)] {
            let fields = fields(&header::CONTENT_LENGTH, &[value]);
            assert_eq!(Said::by(&fields).length(), expected);
        }
    }
}
