//! What is set of an error, and what is taken out of it before.

use std::{borrow::Cow, error::Error as StdError, sync::Arc, time::Duration};

use serde_json::Value;

use super::{BoxError, Error, Inner, Received, Source, is_error_status};
use crate::{Lang, RetryAdvice, redact};

impl Error {
    /// Sets the public message, in place of the kind's own.
    ///
    /// Credentials, query strings and control characters are taken out of it, and it is cut at
    /// 4 096 bytes: it may quote a stranger. One of which nothing is left gives way to the kind's
    /// own, so that no error is without a message.
    #[must_use]
    pub fn with_message(self, message: impl Into<Cow<'static, str>>) -> Self {
        let message = redact::public(message.into());
        self.edit(|inner| inner.message = Some(message).filter(|it| !it.trim().is_empty()))
    }

    /// Sets what a stranger, or one of ours, said, unless it says nothing. The kind's own message is
    /// not kept as a stranger's: it needs no copy and can still be translated.
    pub(crate) fn with_said(self, text: Cow<'_, str>) -> Self {
        let kind = self.kind();
        if text.trim().is_empty() || text == kind.message(Lang::Zh) {
            self
        } else if text == kind.message(Lang::En) {
            self.with_lang(Lang::En)
        } else {
            self.with_message(text.into_owned())
        }
    }

    /// Sets the language that [`message`](Self::message), `Display`, `Debug` and every dialect give
    /// the kind's own message in. A message set by hand, or received, stays as it is. Default:
    /// Chinese, as on Kimi's own wire.
    #[must_use]
    pub fn with_lang(self, lang: Lang) -> Self {
        if self.0.lang == lang {
            return self;
        }
        self.edit(|inner| inner.lang = lang)
    }

    /// Sets an `errcode` other than the kind's own, such as the -2007 of a sibling project.
    #[must_use]
    pub fn with_errcode(self, errcode: i32) -> Self {
        self.edit(|inner| inner.errcode = (errcode != inner.kind.errcode()).then_some(errcode))
    }

    /// Sets an HTTP status other than the kind's own, such as the 406 of a router.
    ///
    /// One that is not 400 to 599 is dropped: an error is never answered with a success. Like an
    /// errcode or advice of its own it travels in the field `x-kimi-error` of an answer's head.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        if !is_error_status(status) {
            return self;
        }
        self.edit(|inner| inner.status = (status != inner.kind.status()).then_some(status))
    }

    /// Sets advice other than the kind's own.
    #[must_use]
    pub fn with_advice(self, advice: RetryAdvice) -> Self {
        self.edit(|inner| inner.advice = Some(advice))
    }

    /// Sets the least time to wait before trying again. It is the `after` of
    /// [`RetryAdvice::Backoff`] and the answer's `Retry-After`; advice of another sort keeps.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        self.edit(|inner| inner.retry_after = Some(wait))
    }

    /// Sets the least time to wait, unless a longer one is known.
    #[cfg(feature = "http")]
    pub(crate) fn with_wait_of_at_least(self, wait: Duration) -> Self {
        let longest = self.retry_after().map_or(wait, |known| known.max(wait));
        self.with_retry_after(longest)
    }

    /// Sets the name of the parameter that is wrong: the `param` of the OpenAI dialect.
    #[must_use]
    pub fn with_param(self, param: &str) -> Self {
        let param = redact::public(Cow::Owned(param.to_owned()));
        self.edit(|inner| inner.param = Some(param.into()))
    }

    /// Sets the id of the request that failed.
    ///
    /// An id that is not 1 to 128 characters of `A-Z a-z 0-9 - _ . : / + = @`, or that reads like
    /// a credential, is dropped, so that it can forge neither a head field nor a line of a log.
    #[must_use]
    pub fn with_request_id(self, request_id: &str) -> Self {
        if !redact::is_plain_id(request_id) {
            return self;
        }
        self.edit(|inner| inner.request_id = Some(request_id.into()))
    }

    /// Sets the `data` of the envelope, `null` otherwise. It is public.
    #[must_use]
    pub fn with_data(self, data: Value) -> Self {
        self.edit(|inner| inner.data = Some(data).filter(|data| !data.is_null()))
    }

    /// Sets what the upstream's answer said, word for word.
    ///
    /// A code or type that is not 1 to 64 characters of `A-Z a-z 0-9 - _ . : /`, or that reads
    /// like a credential, is dropped: `Debug` and logs show them.
    #[must_use]
    pub fn with_received(self, mut received: Received) -> Self {
        received.code = received.code.filter(|code| redact::is_plain_name(code));
        received.error_type = received.error_type.filter(|name| redact::is_plain_name(name));
        self.edit(|inner| inner.received = Some(received))
    }

    /// Sets the private cause. It is reachable by [`StdError::source`] and printed by nothing here.
    #[must_use]
    pub fn with_source<E>(self, source: E) -> Self
    where
        E: StdError + Send + Sync + 'static,
    {
        let type_name = std::any::type_name::<E>();
        self.with_shared_source(type_name, Arc::new(source))
    }

    pub(crate) fn with_boxed_source(self, source: BoxError) -> Self {
        self.with_shared_source("dyn Error", source.into())
    }

    fn with_shared_source(
        self,
        type_name: &'static str,
        error: Arc<dyn StdError + Send + Sync>,
    ) -> Self {
        self.edit(|inner| inner.source = Some(Source { type_name, error }))
    }

    /// Sets a field that the answer's head must carry, such as `Allow` or `RateLimit`, in place of
    /// one of that name. It is public: nothing is taken out of its value.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn with_header(self, name: http::HeaderName, value: http::HeaderValue) -> Self {
        self.edit(|inner| {
            inner.headers.insert(name, value);
        })
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}
