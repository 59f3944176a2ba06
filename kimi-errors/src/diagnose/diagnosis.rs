//! One answer's way through the decision tree.

use std::fmt;

use crate::decode_body;
use crate::{Error, ErrorKind, Lang, RetryAdvice, errcode};

/// The longest code or type that a step shows, in characters: each known one is shorter.
const MAX_WORD_CHARS: usize = 80;

/// What one answer was found to be: the path through the tree, and what to do at its end.
///
/// Made by [`diagnose`](super::diagnose()) from an answer, or `From` an [`Error`] at hand.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    path: Vec<Step>,
    error: Option<Error>,
}

/// One thing looked at on the way to a diagnosis.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// The HTTP status: `HTTP 429`.
    Status(u16),
    /// A code of the article's number space: `errcode -2005 (API_CHAT_STREAM_PUSHING)`.
    Errcode(i32),
    /// The code of another form, number or word: `code resource_exhausted`.
    Code(Box<str>),
    /// The type or reason that the answer names: `type engine_overloaded_error`.
    Type(Box<str>),
    /// Where an error's path ends: `stream_busy`.
    Kind(ErrorKind),
}

/// Walks the decision tree for one answer: its HTTP status, if it has one, and its body.
///
/// The status is `None` for an event inside a stream. Whatever the body is, this neither fails nor
/// panics: an answer without an error gives a diagnosis that [says so](Diagnosis::is_success).
///
/// ```
/// use kimi_errors::{ErrorKind, Lang, RetryAdvice, diagnose::diagnose};
///
/// let body = r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#;
/// let diagnosis = diagnose(Some(401), body.as_bytes());
/// assert_eq!(diagnosis.kind(), Some(ErrorKind::TokenExpired));
/// assert_eq!(diagnosis.advice(), Some(RetryAdvice::AfterRefresh));
/// assert_eq!(
///     diagnosis.remedies(Lang::En)[0],
///     "refresh the token or get a new one, then retry once",
/// );
/// ```
#[must_use]
pub fn diagnose(status: Option<u16>, body: &[u8]) -> Diagnosis {
    match decode_body(status, body) {
        Some(error) => Diagnosis { path: path(status, &error), error: Some(error) },
        None => Diagnosis { path: status.map(Step::Status).into_iter().collect(), error: None },
    }
}

impl Diagnosis {
    /// Returns whether the answer holds no error.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.error.is_none()
    }

    /// Returns what was looked at, in order; the last step of an error is its kind.
    #[must_use]
    pub fn path(&self) -> &[Step] {
        &self.path
    }

    /// Returns the error that the answer holds.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Returns the kind at which the path ends; `None` for a success.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        self.error.as_ref().map(Error::kind)
    }

    /// Returns whether and when to try again; `None` for a success.
    #[must_use]
    pub fn advice(&self) -> Option<RetryAdvice> {
        self.error.as_ref().map(Error::advice)
    }

    /// Returns what the answer says, word for word; in `lang` where it says no more than the kind.
    /// `None` for a success.
    #[must_use]
    pub fn message(&self, lang: Lang) -> Option<&str> {
        let error = self.error.as_ref()?;
        let message = error.message_in(lang);
        let is_the_kinds = [Lang::Zh, Lang::En].map(|lang| error.kind().message(lang));
        Some(if is_the_kinds.contains(&message) { error.kind().message(lang) } else { message })
    }

    /// Returns the kind's [causes](ErrorKind::causes); none for a success.
    #[must_use]
    pub fn causes(&self, lang: Lang) -> &'static [&'static str] {
        self.kind().map_or(&[], |kind| kind.causes(lang))
    }

    /// Returns the kind's [remedies](ErrorKind::remedies); none for a success.
    #[must_use]
    pub fn remedies(&self, lang: Lang) -> &'static [&'static str] {
        self.kind().map_or(&[], |kind| kind.remedies(lang))
    }
}

/// An error that no answer brought is diagnosed by the status and errcode it would be answered with.
impl From<Error> for Diagnosis {
    fn from(error: Error) -> Self {
        Self { path: path(None, &error), error: Some(error) }
    }
}

fn path(status: Option<u16>, error: &Error) -> Vec<Step> {
    let mut path = Vec::with_capacity(4);
    if let Some(received) = error.received() {
        path.extend(received.status.or(status).map(Step::Status));
        path.extend(received.code.as_deref().map(Step::of_code));
        path.extend(received.error_type.clone().map(Step::Type));
    } else {
        path.push(Step::Status(status.unwrap_or_else(|| error.status())));
        path.push(Step::Errcode(error.errcode()));
    }
    path.push(Step::Kind(error.kind()));
    path
}

impl Step {
    /// The article's codes are negative numbers; no other form has such codes.
    fn of_code(code: &str) -> Self {
        match code.parse::<i32>() {
            Ok(number) if number < 0 => Self::Errcode(number),
            _ => Self::Code(code.into()),
        }
    }

    /// Returns the stable name of what is looked at: `http_status`, `errcode`, `code`, `type` or
    /// `kind`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "http_status",
            Self::Errcode(_) => "errcode",
            Self::Code(_) => "code",
            Self::Type(_) => "type",
            Self::Kind(_) => "kind",
        }
    }
}

/// Writes a stranger's words without control characters and shortened to 80 characters.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "HTTP {status}"),
            Self::Errcode(code) => match errcode::name(*code) {
                Some(name) => write!(f, "errcode {code} ({name})"),
                None => write!(f, "errcode {code}"),
            },
            Self::Code(code) => write!(f, "code {}", shown(code)),
            Self::Type(error_type) => write!(f, "type {}", shown(error_type)),
            Self::Kind(kind) => f.write_str(kind.name()),
        }
    }
}

fn shown(word: &str) -> String {
    let visible = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    let mut shown: String = word.chars().take(MAX_WORD_CHARS).map(visible).collect();
    if word.chars().nth(MAX_WORD_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
