//! What the answer of a token endpoint says.

use std::{pin::pin, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Response, response::Parts};
use http_body::Body;
use kimi_errors::{BoxError, DECODE_LIMIT, Error, ErrorKind, Received};
use serde_json::Value;

use super::{super::Token, RefreshToken};

/// What came for a refresh.
pub(super) struct Issued {
    pub(super) token: Token,
    /// In place of the one that was sent.
    pub(super) refresh: Option<RefreshToken>,
}

/// Reads an answer to its end.
pub(super) async fn read<R>(
    response: Response<R>,
    lifetime: Option<Duration>,
) -> Result<Issued, Error>
where
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let (head, body) = response.into_parts();
    let mut body = pin!(body);
    let mut bytes = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| Error::from(error.into()))?;
        if let Ok(data) = frame.into_data() {
            // No token is so long.
            if bytes.len() + data.len() > DECODE_LIMIT {
                return Err(Error::new(ErrorKind::BadGateway));
            }
            bytes.extend_from_slice(&data);
        }
    }
    parse(&head, &bytes, lifetime)
}

fn parse(head: &Parts, body: &[u8], lifetime: Option<Duration>) -> Result<Issued, Error> {
    if let Some(error) = kimi_errors::decode(head.status, &head.headers, body) {
        return Err(public(&error));
    }
    let said: Value =
        serde_json::from_slice(body).map_err(|_| Error::new(ErrorKind::BadGateway))?;
    // The article's is in an envelope.
    let said = said.get("data").filter(|data| data.is_object()).unwrap_or(&said);
    let text = |names: [&str; 3]| names.iter().find_map(|name| said.get(name)?.as_str());
    let token = text(["token", "access_token", "accessToken"]);
    let token = Token::parse(token.ok_or_else(|| Error::new(ErrorKind::BadGateway))?)
        .map_err(|_| Error::new(ErrorKind::BadGateway))?;
    let refresh = text(["refresh_token", "refreshToken", "refresh"]).map(RefreshToken::new);
    let expires = said.get("expires_in").or_else(|| said.get("expiresIn"));
    // In seconds, RFC 6749 §5.1. Some write it as text.
    let seconds = expires.and_then(|it| it.as_u64().or_else(|| it.as_str()?.trim().parse().ok()));
    let seconds = seconds.filter(|seconds| *seconds > 0);
    let token = match seconds.map(Duration::from_secs).or(lifetime) {
        Some(lifetime) => token.with_lifetime(lifetime),
        None => token,
    };
    Ok(Issued { token, refresh })
}

/// Makes of what the endpoint says an error that anybody may see: its kind and advice in our words,
/// since its own may repeat the secret that it was sent.
///
/// A refusal is of a credential of ours, and not of whoever waits for the token. To refresh that once
/// more would not help.
fn public(error: &Error) -> Error {
    let is_refused = matches!(
        error.kind(),
        ErrorKind::TokenExpired | ErrorKind::InvalidCredentials | ErrorKind::PermissionDenied
    );
    if is_refused {
        return Error::new(ErrorKind::InvalidCredentials).with_message(
            "上游凭证已失效，请重新登录 (the upstream's credential is no longer valid: log in again)",
        );
    }
    // That it was an answer: the request that waits for the token has been sent nowhere.
    let mut received = Received::default();
    received.status = error.received().and_then(|received| received.status);
    let public = Error::new(error.kind()).with_advice(error.advice()).with_received(received);
    match error.retry_after() {
        Some(wait) => public.with_retry_after(wait),
        None => public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Issued, Error> {
        let response = Response::builder().status(status).body(()).unwrap();
        parse(&response.into_parts().0, body.as_bytes(), None)
    }

    #[test]
    fn every_form_of_a_token_is_read() {
        let cases = [
            (r#"{"errcode":0,"data":{"token":"T"}}"#, None, None),
            (r#"{"errcode":0,"errmsg":"OK","data":{"token":"T","expires_in":60}}"#, None, Some(60)),
            (r#"{"access_token":"T","refresh_token":"R"}"#, Some("R"), None),
            (r#"{"accessToken":"T","refreshToken":"R"}"#, Some("R"), None),
            (r#"{"access_token":"T","refresh_token":"R","expires_in":900}"#, Some("R"), Some(900)),
            (r#"{"access_token":"T","expires_in":"900"}"#, None, Some(900)),
            (r#"{"access_token":"T","expires_in":0}"#, None, None),
        ];
        for (body, refresh, seconds) in cases {
            let issued = read(200, body).unwrap();
            assert_eq!(issued.token.header(), "Bearer T", "{body}");
            assert_eq!(issued.refresh.as_ref().map(RefreshToken::expose), refresh, "{body}");
            assert_eq!(issued.token.lifetime(), seconds.map(Duration::from_secs), "{body}");
        }
    }

    #[test]
    fn an_error_keeps_its_advice_and_none_of_its_words() {
        let response = Response::builder().status(429).header("retry-after", "7").body(()).unwrap();
        let head = response.into_parts().0;
        for said in ["{\"errcode\":-1,\"errmsg\":\"CANARY\"}", "{\"error\":\"CANARY\"}", "CANARY"] {
            let error = parse(&head, said.as_bytes(), None).err().unwrap();
            assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{said}");
            assert_eq!(error.received().and_then(|it| it.status), Some(429), "{said}");
            let mut shown = format!("{error:?} {error}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                shown += &format!(" {cause:?} {cause}");
                source = cause.source();
            }
            assert!(!shown.contains("CANARY"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_token_is_an_error() {
        let cases = [
            (200, r#"{"errcode":0,"data":null}"#, ErrorKind::BadGateway),
            (200, r#"{"errcode":0,"data":{"token":"a b"}}"#, ErrorKind::BadGateway),
            (200, "pong", ErrorKind::BadGateway),
            (200, r#"{"errcode":-2002,"errmsg":"Token已失效"}"#, ErrorKind::InvalidCredentials),
            (401, r#"{"error_type":"auth.token.invalid"}"#, ErrorKind::InvalidCredentials),
            (401, "", ErrorKind::InvalidCredentials),
            (400, r#"{"error":"invalid_grant"}"#, ErrorKind::InvalidCredentials),
            (503, "", ErrorKind::Unavailable),
        ];
        for (status, body, kind) in cases {
            assert_eq!(read(status, body).err().map(|it| it.kind()), Some(kind), "{status} {body}");
        }
    }
}
