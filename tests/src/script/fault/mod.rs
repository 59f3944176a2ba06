//! The known error answers of Kimi, by id.

mod proto;
mod shape;

pub(crate) use self::shape::Asked;
pub use self::shape::FaultAnswer;

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

/// A known error answer, from `tests/facts/errors.json`.
///
/// Its id, such as `plat.overloaded`, is the `fault` of a [`Step`](super::Step) and the value of
/// the head field `x-mock-fault`.
///
/// ```
/// use kimi_testkit::script::Fault;
///
/// let busy = Fault::find("errcode.stream_busy").unwrap();
/// assert_eq!((busy.status(), busy.message()), (429, "已有对话流正在输出"));
/// ```
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    id: String,
    dialect: String,
    surface: Option<String>,
    http_status: Option<u16>,
    code: Option<Value>,
    #[serde(rename = "type")]
    error_type: Option<String>,
    category: String,
    message_zh: String,
    message_en: String,
    example_message: Option<String>,
    retry: String,
    code_range: Option<(i64, i64)>,
}

static ALL: LazyLock<Vec<Fault>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../facts/errors.json"))
        .expect("the file is part of this crate, and a test reads it")
});

impl Fault {
    /// Returns every known error answer, in the order of the file.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// Returns the error answer of an id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        ALL.iter().find(|fault| fault.id == id)
    }

    /// Returns the id, such as `plat.overloaded`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns who answers so: `errcode`, `free-api`, `web`, `platform` or `kimi-code`.
    #[must_use]
    pub fn dialect(&self) -> &str {
        &self.dialect
    }

    /// Returns which of the dialect's faces answers so, such as `connect`, if it has several.
    #[must_use]
    pub fn surface(&self) -> Option<&str> {
        self.surface.as_deref()
    }

    /// Returns the HTTP status. Where none is known, 429 for a busy stream and 500 otherwise.
    #[must_use]
    pub fn status(&self) -> u16 {
        let unknown = if self.category == "stream_busy" { 429 } else { 500 };
        self.http_status.unwrap_or(unknown)
    }

    /// Returns the number or word that its body has as code.
    #[must_use]
    pub fn code(&self) -> Option<&Value> {
        self.code.as_ref()
    }

    /// Returns the `type`, `error_type` or reason of its body.
    #[must_use]
    pub fn error_type(&self) -> Option<&str> {
        self.error_type.as_deref()
    }

    /// Returns what sort of error it is, such as `rate_limit`.
    #[must_use]
    pub fn category(&self) -> &str {
        &self.category
    }

    /// Returns what to do: `never`, `backoff`, `after_refresh`, `after_stream` or `after_reset`.
    #[must_use]
    pub fn retry(&self) -> &str {
        &self.retry
    }

    /// Returns the message as it stands on the wire: an example seen, else the text, in the
    /// language in which this dialect answers.
    #[must_use]
    pub fn message(&self) -> &str {
        let is_chinese = matches!(self.dialect.as_str(), "errcode" | "free-api" | "web")
            // A text in brackets describes an answer without a message.
            && !self.message_zh.starts_with('(');
        let text = if is_chinese { &self.message_zh } else { &self.message_en };
        self.example_message.as_ref().unwrap_or(text)
    }
}
