//! The wire forms of an error, one a file, what is written beside what is read.

pub(crate) mod compat;
pub(crate) mod connect;
pub(crate) mod errcode;
pub(crate) mod free_api;
#[cfg(feature = "http")]
pub mod grpc;
#[cfg(feature = "http")]
pub(crate) mod head;
pub(crate) mod kimi_server;
pub(crate) mod minimax;
pub(crate) mod oauth;
pub(crate) mod openai;
pub(crate) mod platform;
pub(crate) mod status;
pub(crate) mod web;

use std::{fmt, str::FromStr};

use crate::{Error, UnknownName};

/// A wire form in which an [`Error`] is answered.
///
/// | dialect | body | HTTP status |
/// |---|---|---|
/// | `Errcode` | `{"errcode":-2002,"errmsg":"Token已失效","data":null}` | the kind's |
/// | `FreeApi` | `{"code":-2002,"message":"Token已失效","data":null}` | 200, always |
/// | `OpenAi` | `{"error":{"message":…,"type":…,"param":null,"code":"token_expired"}}` | the kind's |
/// | `Compat` | the keys of `Errcode`, then the `error` of `OpenAi` | the kind's |
///
/// `Compat` is the one form that the article's clients and the OpenAI SDKs both understand.
/// Reading needs no dialect: [`decode`](crate::decode) tells them apart.
///
/// ```
/// use kimi_errors::{Dialect, Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::TokenExpired);
/// let body = Dialect::Errcode.body(&error);
/// assert_eq!(body, r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#.as_bytes());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Dialect {
    /// The article's envelope.
    #[default]
    Errcode,
    /// What kimi-free-api really answers.
    FreeApi,
    /// The Kimi platform's and OpenAI's error object.
    OpenAi,
    /// `Errcode` and `OpenAi` in one body.
    Compat,
}

impl Dialect {
    /// Every dialect, the default first.
    pub const ALL: &'static [Self] = &[Self::Errcode, Self::FreeApi, Self::OpenAi, Self::Compat];

    /// Returns the name: `errcode`, `free-api`, `openai` or `compat`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Errcode => "errcode",
            Self::FreeApi => "free-api",
            Self::OpenAi => "openai",
            Self::Compat => "compat",
        }
    }

    /// Returns the HTTP status of an answer: the kind's, or 200 for `FreeApi`.
    #[must_use]
    pub fn status(self, error: &Error) -> u16 {
        match self {
            Self::FreeApi => 200,
            Self::Errcode | Self::OpenAi | Self::Compat => error.status(),
        }
    }

    /// Returns the JSON body of an answer.
    #[must_use]
    pub fn body(self, error: &Error) -> Vec<u8> {
        let mut out = Vec::with_capacity(192 + error.message().len());
        match self {
            Self::Errcode => errcode::write(error, &mut out),
            Self::FreeApi => free_api::write(error, &mut out),
            Self::OpenAi => openai::write(error, &mut out),
            Self::Compat => compat::write(error, &mut out),
        }
        out
    }

    /// Returns the error as one server-sent event, `data: {…}` and a blank line, for a stream
    /// whose head is already out.
    ///
    /// Whatever the dialect, the data holds an `error` object: without it both OpenAI SDKs hand
    /// the event to the application as an ordinary chunk. The request id stands in that object,
    /// since no head can carry it any more.
    #[must_use]
    pub fn sse_frame(self, error: &Error) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + error.message().len());
        out.extend_from_slice(b"data: ");
        match self {
            Self::OpenAi => openai::write_frame(error, &mut out),
            Self::FreeApi => free_api::write_frame(error, &mut out),
            Self::Errcode | Self::Compat => compat::write_frame(error, &mut out),
        }
        out.extend_from_slice(b"\n\n");
        out
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Dialect {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let known = Self::ALL.iter().copied().find(|dialect| dialect.name() == name);
        known.ok_or(UnknownName { expected: "errcode, free-api, openai, compat" })
    }
}

/// Appends `text` as a JSON string.
fn write_str(text: &str, out: &mut Vec<u8>) {
    // Writing a string into a vector cannot fail: neither has an error of its own.
    let written = serde_json::to_writer(out, text);
    debug_assert!(written.is_ok(), "a string is always JSON");
}

/// Appends `null` or the error's data.
fn write_data(error: &Error, out: &mut Vec<u8>) {
    let Some(data) = error.data() else {
        out.extend_from_slice(b"null");
        return;
    };
    // A `Value` has only string keys and finite numbers, so that it is always JSON.
    let written = serde_json::to_writer(out, data);
    debug_assert!(written.is_ok(), "a value is always JSON");
}

#[cfg(test)]
mod tests;
