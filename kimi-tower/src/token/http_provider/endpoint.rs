use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use kimi_errors::{Error, ErrorKind};

use super::RefreshToken;

/// How long a token of kimi.com and of Kimi Code is good for: 15 min, as both have it.
const KIMI_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Where and how tokens are asked for.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    uri: Uri,
    form: Form,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    Article,
    Web,
    Connect,
    OAuth { client_id: Box<str> },
}

impl Endpoint {
    pub(super) const fn new(uri: Uri, form: Form) -> Self {
        Self { uri, form }
    }

    /// Returns how long a token is good for whose answer does not say; `None` if nothing is known.
    pub(super) const fn lifetime(&self) -> Option<Duration> {
        match self.form {
            Form::Article => None,
            Form::Web | Form::Connect | Form::OAuth { .. } => Some(KIMI_LIFETIME),
        }
    }

    pub(super) fn request<B>(&self, refresh: Option<&RefreshToken>) -> Result<Request<B>, Error>
    where
        B: From<Bytes>,
    {
        let secret = refresh.map(RefreshToken::expose).unwrap_or_default();
        let (method, content_type, body) = match &self.form {
            Form::Article => (Method::POST, None, String::new()),
            Form::Web => (Method::GET, None, String::new()),
            Form::Connect => {
                let body = serde_json::json!({ "refreshToken": secret }).to_string();
                (Method::POST, Some("application/json"), body)
            }
            Form::OAuth { client_id } => {
                let mut body = "grant_type=refresh_token&client_id=".to_owned();
                encode(client_id, &mut body);
                body.push_str("&refresh_token=");
                encode(secret, &mut body);
                (Method::POST, Some("application/x-www-form-urlencoded"), body)
            }
        };
        let mut request = Request::new(B::from(Bytes::from(body)));
        (*request.method_mut(), *request.uri_mut()) = (method, self.uri.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.extend(content_type.map(|it| (CONTENT_TYPE, HeaderValue::from_static(it))));
        if matches!(self.form, Form::Web) {
            let value = HeaderValue::try_from(format!("Bearer {secret}"));
            let mut value = value.map_err(|_| Error::new(ErrorKind::InvalidCredentials))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}

/// Writes a value of a form: all but the unreserved of RFC 3986 §2.3 is percent-encoded.
fn encode(value: &str, form: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            form.push('%');
            for digit in [byte >> 4, byte & 15] {
                form.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_any_secret() {
        let mut form = String::new();
        encode("a-b._~&=+ %月", &mut form);
        assert_eq!(form, "a-b._~%26%3D%2B%20%25%E6%9C%88");
    }
}
