use std::{fmt, time::Duration};

use http::HeaderValue;
use kimi_errors::{Error, ErrorKind};

/// What a request is authorized with: the value of its field `authorization`, and how long it is
/// good for.
///
/// ```text
/// authorization: Bearer T1
/// ```
///
/// The value is marked as sensitive, so that neither `Debug` nor HPACK's table of fields (RFC 7541
/// §7.1.3) has it; the `Debug` of a token shows nothing of it. A clone shares the memory.
#[derive(Clone)]
pub struct Token {
    value: HeaderValue,
    lifetime: Option<Duration>,
}

impl Token {
    /// Creates the token that is sent as `Bearer` and the text, without blanks around it.
    ///
    /// ```
    /// use kimi_tower::token::Token;
    ///
    /// let token = Token::parse("T1")?;
    /// assert_eq!(token.header(), "Bearer T1");
    /// assert!(!format!("{token:?}").contains("T1"));
    /// # Ok::<_, kimi_errors::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCredentials`] if it is empty, or has a blank, a comma, or a character
    /// that is not visible ASCII: RFC 6750 §2.1 has none of these, and kimi-free-api takes a comma
    /// for the end of a token. The error does not show the text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim_ascii();
        let is_one = !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic() && it != b',');
        let value = is_one.then(|| HeaderValue::try_from(format!("Bearer {text}")).ok()).flatten();
        let mut value = value.ok_or_else(malformed)?;
        value.set_sensitive(true);
        Ok(Self { value, lifetime: None })
    }

    /// Sets how long it is good for, from when it was asked for. Default: what the
    /// [`Freshness`](super::Freshness) of the cache says.
    ///
    /// [`Duration::MAX`], or what no clock can show, is for ever.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Returns how long it is good for, if that is known.
    #[must_use]
    pub const fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    /// Returns the value of the field `authorization`, marked as sensitive.
    #[must_use]
    pub const fn header(&self) -> &HeaderValue {
        &self.value
    }
}

impl fmt::Debug for Token {
    /// Shows nothing of its value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[cold]
fn malformed() -> Error {
    Error::new(ErrorKind::InvalidCredentials)
        .with_message("token 格式不正确：应为一个或多个可见 ASCII 字符 (malformed token: visible ASCII, no blank, no comma)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_visible_ascii() {
        assert_eq!(Token::parse(" eyJ.a-b_c~+/= ").unwrap().header(), "Bearer eyJ.a-b_c~+/=");
        for text in ["", "  ", "a b", "a,b", "a\nb", "a\u{7f}", "令牌"] {
            let error = Token::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{text:?}");
        }
    }

    #[test]
    fn nothing_shows_a_token() {
        let token = Token::parse("canary").unwrap().with_lifetime(Duration::from_secs(1));
        assert!(token.header().is_sensitive());
        assert!(!format!("{token:?} {:?}", token.header()).contains("canary"));
        let error = Token::parse("can ary").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("ary"));
    }
}
