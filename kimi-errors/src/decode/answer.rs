//! What a stranger's answer says, whichever form it says it in, and the error that becomes of it.

use std::{borrow::Cow, time::Duration};

use super::Verdict;
use crate::{
    Error, ErrorKind, GrpcCode, Received, RetryAdvice,
    dialect::{connect, errcode, free_api, kimi_server, minimax, oauth, platform, status, web},
    redact::LONGEST_NAME,
    scan, wait,
};

/// The form that an answer has, which decides whose table is asked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Form {
    /// `errcode`.
    Errcode,
    /// A negative `code` beside a `message`.
    FreeApi,
    /// `error_type`.
    Web,
    /// `{"event":"error"}` or `{"event":"length"}`.
    WebEvent,
    /// A `code` that is a word of gRPC.
    Connect,
    /// An `error` object.
    Platform,
    /// An `error` that is a word.
    OAuth,
    /// `code`, `msg` and `request_id`.
    KimiServer,
    /// `code` and `scode`, both a number of gRPC.
    Account,
    /// `base_resp`.
    MiniMax,
    /// Anything else that is JSON.
    OtherJson,
    /// A page that a proxy wrote.
    Html,
    /// A line that a framework or a proxy wrote.
    Text,
    /// No body.
    #[default]
    Empty,
}

/// What an answer says, in the words it says it with.
#[derive(Debug, Default)]
pub(crate) struct Answer<'a> {
    pub(crate) form: Form,
    /// Our own kind, where an `error` object of ours names it.
    pub(crate) own: Option<ErrorKind>,
    pub(crate) code: Option<Cow<'a, str>>,
    pub(crate) error_type: Option<Cow<'a, str>>,
    /// The code as a number, where it is an errcode.
    pub(crate) errcode: Option<i32>,
    /// An HTTP status that the body names.
    pub(crate) status: Option<u16>,
    pub(crate) message: Option<Cow<'a, str>>,
    /// The wait that a member of the body names.
    pub(crate) wait: Option<Duration>,
    /// A second text, less meant for people.
    pub(crate) subtext: Option<Cow<'a, str>>,
    pub(crate) param: Option<Cow<'a, str>>,
    pub(crate) request_id: Option<Cow<'a, str>>,
    /// The JSON of `data`, unless it is `null`.
    pub(crate) data: Option<Cow<'a, [u8]>>,
}

impl Answer<'_> {
    /// Returns the same, independent of the bytes it was read from.
    pub(crate) fn into_owned(self) -> Answer<'static> {
        fn owned(text: Option<Cow<'_, str>>) -> Option<Cow<'static, str>> {
            text.map(|text| Cow::Owned(text.into_owned()))
        }
        Answer {
            form: self.form,
            own: self.own,
            code: owned(self.code),
            error_type: owned(self.error_type),
            errcode: self.errcode,
            status: self.status,
            message: owned(self.message),
            wait: self.wait,
            subtext: owned(self.subtext),
            param: owned(self.param),
            request_id: owned(self.request_id),
            data: self.data.map(|data| Cow::Owned(data.into_owned())),
        }
    }

    /// Returns what the answer means; `http` is the status it came with.
    pub(crate) fn verdict(&self, http: Option<u16>) -> Verdict {
        // What the body names comes first: gateways rewrite heads.
        let http = self.status.or(http.filter(|http| *http >= 400));
        let code = self.code.as_deref().unwrap_or_default();
        let error_type = self.error_type.as_deref().unwrap_or_default();
        let text = self.message.as_deref().unwrap_or_default();
        if let Some(kind) = self.own {
            return self.errcode.map_or(Verdict::of(kind), |it| Verdict::of(kind).with_errcode(it));
        }
        match self.form {
            Form::Errcode => errcode::verdict(self.errcode, text, http),
            Form::FreeApi => free_api::verdict(self.errcode, text),
            Form::Web => web::verdict(error_type, text, http),
            Form::WebEvent => web::event(error_type, text),
            Form::Connect => {
                let subtext = self.subtext.as_deref().unwrap_or_default();
                let verdict = connect::verdict(code, error_type, [text, subtext]);
                verdict.unwrap_or_else(|| platform::verdict(code, error_type, text, http))
            }
            Form::OAuth => oauth::verdict(error_type, text, http),
            Form::KimiServer => kimi_server::verdict(code, text, http),
            Form::Account => {
                let number = code.parse().ok().and_then(GrpcCode::from_number);
                let by_code = || number.map(connect::by_code);
                let said = platform::said(text, false).or_else(by_code);
                said.unwrap_or_else(|| platform::verdict("", "", text, http))
            }
            Form::MiniMax => minimax::verdict(code, text, http),
            Form::Platform | Form::OtherJson => platform::verdict(code, error_type, text, http),
            Form::Text => platform::verdict("", "", text, http).without_text(),
            Form::Html | Form::Empty => status::verdict(http.unwrap_or_default()),
        }
    }

    /// Returns the error that means `verdict`; `http` is the status the answer came with.
    pub(crate) fn into_error(self, verdict: Verdict, http: Option<u16>) -> Error {
        let kind = verdict.kind;
        let mut error = Error::new(kind);
        if let Some(errcode) = verdict.errcode {
            error = error.with_errcode(errcode);
        }
        if let Some(status) = verdict.status {
            error = error.with_status(status);
        }
        let named = || self.message.as_deref().and_then(wait::in_text).max(self.wait);
        let advice = match verdict.advice.unwrap_or(kind.advice()) {
            RetryAdvice::Backoff { after } if !verdict.is_exact => {
                RetryAdvice::Backoff { after: named().max(after) }
            }
            RetryAdvice::AfterStream if !verdict.is_exact => {
                if let Some(wait) = named() {
                    error = error.with_retry_after(wait);
                }
                RetryAdvice::AfterStream
            }
            advice => advice,
        };
        if advice != kind.advice() {
            error = error.with_advice(advice);
        }
        if let Some(param) = self.param {
            error = error.with_param(&param);
        }
        if let Some(request_id) = self.request_id {
            error = error.with_request_id(&request_id);
        }
        let received = Received {
            status: http,
            code: self.code.as_deref().map(boxed),
            error_type: self.error_type.as_deref().map(boxed),
        };
        if received != Received::default() {
            error = error.with_received(received);
        }
        match self.message {
            Some(text) if verdict.shows_text && !is_markup(&text) => error.with_said(text),
            _ => error,
        }
    }
}

/// Returns whether a text is a page or a document rather than a sentence.
fn is_markup(text: &str) -> bool {
    let text = text.trim_ascii_start().as_bytes();
    matches!(text, [b'<', b'!' | b'a'..=b'z' | b'A'..=b'Z' | b'?', ..] | [b'{', ..])
}

/// Cut just past what [`Error::with_received`] keeps, so that a body is not copied to be dropped.
fn boxed(word: &str) -> Box<str> {
    scan::start(word, 1 + LONGEST_NAME).into()
}
