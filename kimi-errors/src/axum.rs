//! `Error` as the error of an axum handler.

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};

use crate::{Dialect, Error};

/// Answers in the article's envelope, with the kind's status.
///
/// The error stands in the response's extensions, so that a layer outside can log it, or write it
/// in another dialect: that is where a service should choose one, not here.
///
/// ```
/// use axum_core::response::IntoResponse;
/// use kimi_errors::{Error, ErrorKind};
///
/// // A handler: `?` takes any error that `Error` has a `From` for.
/// async fn count(body: String) -> Result<String, Error> {
///     let messages: Vec<serde_json::Value> = serde_json::from_str(&body)?;
///     if messages.is_empty() {
///         return Err(ErrorKind::ParamsInvalid.into());
///     }
///     Ok(messages.len().to_string())
/// }
///
/// let refused = Error::new(ErrorKind::TokenExpired).into_response();
/// assert_eq!(refused.status(), 401);
/// assert_eq!(refused.headers()["content-type"], "application/json");
/// assert!(refused.extensions().get::<Error>().is_some());
/// ```
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Dialect::Errcode.response(&self).map(Body::from)
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn answers_with_the_envelope_and_leaves_the_error_for_layers_outside() {
        let error = Error::new(ErrorKind::StreamBusy).with_request_id("req-1");
        let response = error.into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["x-request-id"], "req-1");
        let body = r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#;
        assert_eq!(response.body().size_hint().exact(), Some(body.len() as u64));
        let left = response.extensions().get::<Error>().map(Error::kind);
        assert_eq!(left, Some(ErrorKind::StreamBusy));
    }
}
