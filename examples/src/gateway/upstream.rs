//! The service behind the gateway, over HTTP or HTTPS.

use std::{fmt, str::FromStr, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{Request, Uri, uri};
use http_body_util::Full;
use kimi_errors::{BoxError, Error};
use kimi_tower::{
    raise_error::{RaiseError, RaiseErrorLayer, StreamEnd},
    replay::ReplayBody,
    retry::{Retry, RetryLayer, RetryPolicy},
    token::{TokenLayer, TokenService},
};
use tower::{ServiceBuilder, ServiceExt as _};

use super::{Credentials, fields, transport::Transport};

/// An upstream, the connections to it, and what it said of when to come again. Clones share both.
#[derive(Clone)]
pub struct Upstream {
    scheme: uri::Scheme,
    authority: uri::Authority,
    /// Stands before every path; empty, or beginning but not ending with a slash.
    prefix: String,
    raise_error: RaiseErrorLayer,
    retry: RetryPolicy,
    credentials: Credentials,
    look_timeout: Duration,
    transport: Exchange,
    /// Made of the five above, anew when one of them is set.
    stack: Stack,
}

/// What each request goes through, from the outside in.
type Stack = RaiseError<Retry<TokenService<Exchange, Credentials>>>;

/// One exchange, of a request whose body is kept as long as `retry` or `token` may send it again.
type Exchange = Transport<ReplayBody<ReplayBody<Full<Bytes>>>>;

/// The URL of an upstream is not `http://host[:port][/path]` or the same with `https`: no user name
/// and no query, in which a credential would stand.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InvalidUrl;

impl Upstream {
    /// How long an upstream may be silent before the head of its answer: 900 s, the platform's own
    /// limit by its page on errors, so that it is the platform that gives up first.
    pub const HEAD_TIMEOUT: Duration = Duration::from_secs(900);

    /// How long the beginning of a body may take to tell an error from a success: 5 s, as of the
    /// layers.
    const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

    /// Sets what is tried again. Default: [`RetryPolicy::standard`]. In place of the policy's own
    /// look timeout stands [that of the gateway](Self::with_look_timeout).
    #[must_use]
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self.stacked()
    }

    /// Sets what the gateway itself is known by to the upstream, for requests that come without
    /// `authorization`. Default: nothing, they are passed on without.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self.stacked()
    }

    /// Sets how long the head of an answer may take, connecting and sending included, at each
    /// attempt. Default: [`HEAD_TIMEOUT`](Self::HEAD_TIMEOUT). For all attempts together there is
    /// the policy's deadline.
    #[must_use]
    pub fn with_head_timeout(mut self, timeout: Duration) -> Self {
        self.transport.head_timeout = timeout;
        self.stacked()
    }

    /// Sets how long the beginning of a body may take to tell an error from a success. Default:
    /// 5 s.
    #[must_use]
    pub fn with_look_timeout(mut self, timeout: Duration) -> Self {
        self.look_timeout = timeout;
        self.stacked()
    }

    /// Sets whether an event stream must say that it is complete. Default:
    /// [`StreamEnd::Required`], as on the platform and of kimi-free-api.
    #[must_use]
    pub fn with_stream_end(mut self, end: StreamEnd) -> Self {
        self.raise_error = self.raise_error.with_stream_end(end);
        self.stacked()
    }

    /// Sends a request and opens the answer.
    ///
    /// # Errors
    ///
    /// The error that the answer is, in whichever dialect; or why there is none.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response, Error> {
        let (mut head, body) = request.into_parts();
        head.uri = self.uri(&head.uri)?;
        head.version = http::Version::HTTP_11;
        fields::request(&mut head.headers);
        let mut answer = self.stack.clone().oneshot(Request::from_parts(head, body)).await?;
        fields::response(answer.headers_mut());
        Ok(answer.map(Body::new))
    }

    /// Builds the stack of what has been set.
    fn stacked(mut self) -> Self {
        let (retry, token) = (self.retry.clone(), TokenLayer::new(self.credentials.clone()));
        let transport = self.transport.clone();
        self.stack = stack(self.raise_error, retry, token, self.look_timeout, transport);
        self
    }

    /// Returns where a request for `asked` goes.
    fn uri(&self, asked: &Uri) -> Result<Uri, Error> {
        let path = asked.path_and_query().map_or("/", uri::PathAndQuery::as_str);
        let uri = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(format!("{}{path}", self.prefix))
            .build();
        uri.map_err(|error| Error::from(BoxError::from(error)))
    }
}

/// Parses `https://api.moonshot.cn`. A trailing `/v1`, with which the `base_url` of OpenAI's SDKs
/// ends, may stand or not.
impl FromStr for Upstream {
    type Err = InvalidUrl;

    fn from_str(url: &str) -> Result<Self, InvalidUrl> {
        let parts = url.parse::<Uri>().map_err(|_| InvalidUrl)?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(InvalidUrl);
        };
        let is_web = scheme == uri::Scheme::HTTP || scheme == uri::Scheme::HTTPS;
        // A secret in a URL would end in logs; the credential comes with each request.
        if !is_web || authority.as_str().contains('@') {
            return Err(InvalidUrl);
        }
        let asked = parts.path_and_query.as_ref();
        if asked.is_some_and(|asked| asked.query().is_some()) {
            return Err(InvalidUrl);
        }
        let path = asked.map_or("", |asked| asked.path());
        let path = path.trim_end_matches('/');
        let prefix = path.strip_suffix("/v1").unwrap_or(path).to_owned();
        let (raise_error, retry) = (RaiseErrorLayer::new(), RetryPolicy::standard());
        let look_timeout = Self::LOOK_TIMEOUT;
        let transport = Transport::new(Self::HEAD_TIMEOUT);
        let credentials = Credentials::none();
        let token = TokenLayer::new(credentials.clone());
        let stack = stack(raise_error, retry.clone(), token, look_timeout, transport.clone());
        Ok(Self {
            scheme,
            authority,
            prefix,
            raise_error,
            retry,
            credentials,
            look_timeout,
            transport,
            stack,
        })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upstream").field(&format_args!("{self}")).finish()
    }
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected http:// or https:// and a host, and neither user name nor query")
    }
}

impl std::error::Error for InvalidUrl {}

fn stack(
    raise_error: RaiseErrorLayer,
    retry: RetryPolicy,
    token: TokenLayer<Credentials>,
    look_timeout: Duration,
    transport: Exchange,
) -> Stack {
    ServiceBuilder::new()
        // Only here is an answer known to be the upstream's: outside it would be ours. Of several
        // attempts it reads the answer that counts.
        .layer(raise_error.with_look_timeout(look_timeout))
        // Close to the transport, so that a failed attempt says whether anything had been sent.
        .layer(RetryLayer::new(retry.with_look_timeout(look_timeout)))
        // Each attempt has the token of its time.
        .layer(token.with_look_timeout(look_timeout))
        .service(transport)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_may_end_in_v1() {
        for url in ["http://u:1", "http://u:1/", "http://u:1/v1", "http://u:1/v1/"] {
            let upstream: Upstream = url.parse().unwrap();
            let uri = upstream.uri(&Uri::from_static("/v1/models?a=1")).unwrap();
            assert_eq!(uri, "http://u:1/v1/models?a=1", "{url}");
        }
        let behind: Upstream = "https://u/kimi/v1".parse().unwrap();
        assert_eq!(behind.uri(&Uri::from_static("/ping")).unwrap(), "https://u/kimi/ping");
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["", "u:1", "/v1", "ftp://u", "http://name:secret@u", "http://u/v1?key=secret"] {
            let refusal = url.parse::<Upstream>().unwrap_err().to_string();
            assert!(refusal.contains("neither user name nor query"), "{url}");
            assert!(!refusal.contains("secret"), "{url}");
        }
    }
}
