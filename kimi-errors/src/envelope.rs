//! The article's wire form, for successes and errors alike.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, dialect::errcode};

/// The envelope of the article: `errcode` 0 and `data`, or another `errcode` and a reason.
///
/// ```json
/// {"errcode":0,"errmsg":"OK","data":{"token":"…"}}
/// {"errcode":-2002,"errmsg":"Token已失效","data":null}
/// ```
///
/// Written with exactly these keys in this order. Read with `errmsg` and `data` optional, and with
/// kimi-free-api's names `code` and `message` for the first two; other keys are passed over.
///
/// For answers that are known to have this form. One that may have any, or a head, is what
/// [`decode_body`](crate::decode_body) and `decode` are for. A service answers an error with
/// [`Dialect::Errcode`](crate::Dialect::Errcode), which writes the same bytes.
///
/// ```
/// use kimi_errors::{Envelope, ErrorKind};
///
/// let refused = r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#;
/// let envelope: Envelope<String> = serde_json::from_str(refused)?;
/// assert_eq!(envelope.into_result().unwrap_err().kind(), ErrorKind::TokenExpired);
///
/// assert_eq!(serde_json::to_string(&Envelope::ok(7))?, r#"{"errcode":0,"errmsg":"OK","data":7}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Envelope<T> {
    /// 0 for a success, else a code of [`errcode`](crate::errcode).
    #[serde(alias = "code")]
    pub errcode: i32,
    /// The public message; `OK` for a success.
    #[serde(alias = "message", default)]
    pub errmsg: String,
    /// What was asked for; `null` for an error, unless it has something to add.
    #[serde(default = "none")]
    pub data: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

impl<T> Envelope<T> {
    /// Creates the envelope of a success.
    #[must_use]
    pub fn ok(data: T) -> Self {
        Self { errcode: 0, errmsg: "OK".to_owned(), data: Some(data) }
    }

    /// Opens the envelope.
    ///
    /// # Errors
    ///
    /// The error that the envelope carries, with code and message, without its `data`, which may be
    /// a stranger's; [`ErrorKind::BadGateway`] for a success whose `data` is missing or `null`.
    pub fn into_result(self) -> Result<T, Error> {
        match (self.errcode, self.data) {
            (0, Some(data)) => Ok(data),
            (0, None) => Err(Error::new(ErrorKind::BadGateway)),
            (code, _) => Err(errcode::classify(code, &self.errmsg)),
        }
    }
}
