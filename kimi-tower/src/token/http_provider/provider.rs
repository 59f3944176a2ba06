use std::{fmt, future::poll_fn, marker::PhantomData, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use tower_service::Service;

use super::{
    super::{Token, TokenProvider},
    InMemory, Persist, RefreshToken,
    answer::{self, Issued},
    endpoint::{Endpoint, Form},
};
use crate::sync::Lock;

/// Asks an endpoint for tokens, over the HTTP client `S`, whose requests have a body `B` that can be
/// made of bytes.
///
/// | made by | sends | reads |
/// |---|---|---|
/// | [`article`](Self::article) | `POST` without a body | `{"errcode":0,"data":{"token":"…"}}` |
/// | [`web`](Self::web) | `GET` with `authorization: Bearer` and the refresh token | `{"access_token":"…","refresh_token":"…"}` |
/// | [`connect`](Self::connect) | `POST` with `{"refreshToken":"…"}` | `{"accessToken":"…","refreshToken":"…"}` |
/// | [`oauth`](Self::oauth) | `POST` with `grant_type=refresh_token&client_id=…&refresh_token=…` | `{"access_token":"…","refresh_token":"…","expires_in":900}` |
///
/// `expires_in`, in seconds, counts in every form. Without it a token is good for 15 min, but for the
/// article's, for which the [`Freshness`](super::super::Freshness) of the cache says it: 2 h.
///
/// A refresh token in the answer takes the place of the one before: see [`Persist`]. One cache is to
/// be made of a provider, since a refresh token may be good for a single use.
///
/// # Errors
///
/// Of the kind that the endpoint says, as [`decode`](kimi_errors::decode) reads it, and with its advice;
/// but a refusal, -2002, 401, 403 or `invalid_grant`, is
/// [`InvalidCredentials`](kimi_errors::ErrorKind::InvalidCredentials), for which a refresh is no help.
/// Nothing of the endpoint's own words is in it, since it may repeat what it was sent. [`BadGateway`](kimi_errors::ErrorKind::BadGateway) for an answer that
/// has no token, or more than 64 KiB.
pub struct HttpTokenProvider<S, B, K = InMemory> {
    client: S,
    persist: Arc<K>,
    stored: Arc<Stored>,
    body: PhantomData<fn() -> B>,
}

struct Stored {
    endpoint: Endpoint,
    /// Nothing is called while it is locked.
    secrets: Lock<Secrets>,
}

struct Secrets {
    refresh: Option<RefreshToken>,
    /// A token that came with this refresh token, which is yet to be kept.
    pending: Option<Token>,
    /// Whether the refresh token came in place of the first.
    is_rotated: bool,
}

impl<S, B> HttpTokenProvider<S, B> {
    /// Creates a provider that asks the article's endpoint, `POST /api/token`. What else that asks
    /// for, such as an API key, the client adds.
    #[must_use]
    pub fn article(client: S, uri: Uri) -> Self {
        Self::new(client, Endpoint::new(uri, Form::Article), None)
    }

    /// Creates a provider that asks as the pages of kimi.com did:
    /// `https://www.kimi.com/api/auth/token/refresh`.
    #[must_use]
    pub fn web(client: S, uri: Uri, refresh: RefreshToken) -> Self {
        Self::new(client, Endpoint::new(uri, Form::Web), Some(refresh))
    }

    /// Creates a provider that asks as the pages of kimi.com do:
    /// `https://auth.kimi.com/api/account.gateway.v1.AuthService/RefreshToken`.
    #[must_use]
    pub fn connect(client: S, uri: Uri, refresh: RefreshToken) -> Self {
        Self::new(client, Endpoint::new(uri, Form::Connect), Some(refresh))
    }

    /// Creates a provider that asks as OAuth has it, RFC 6749 §6, and Kimi Code:
    /// `https://auth.kimi.com/api/oauth/token`.
    #[must_use]
    pub fn oauth(client: S, uri: Uri, client_id: &str, refresh: RefreshToken) -> Self {
        let form = Form::OAuth { client_id: client_id.into() };
        Self::new(client, Endpoint::new(uri, form), Some(refresh))
    }

    fn new(client: S, endpoint: Endpoint, refresh: Option<RefreshToken>) -> Self {
        let secrets = Lock::new(Secrets { refresh, pending: None, is_rotated: false });
        let (persist, stored) = (Arc::new(InMemory), Arc::new(Stored { endpoint, secrets }));
        Self { client, persist, stored, body: PhantomData }
    }

    /// Sets what keeps a refresh token that came in place of another.
    #[must_use]
    pub fn with_persist<K>(self, persist: K) -> HttpTokenProvider<S, B, K> {
        let Self { client, stored, body, .. } = self;
        HttpTokenProvider { client, persist: Arc::new(persist), stored, body }
    }
}

impl<S, B, K, R> TokenProvider for HttpTokenProvider<S, B, K>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    B: From<Bytes> + Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
    K: Persist<Future: Send> + Send + Sync + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Result<Token, Error>> + Send>>;

    fn fetch(&self) -> Self::Future {
        let (stored, persist) = (Arc::clone(&self.stored), Arc::clone(&self.persist));
        Box::pin(fetch(self.client.clone(), stored, persist))
    }

    /// Until a refresh token has come in place of the first.
    fn is_replaceable(&self) -> bool {
        !self.stored.secrets.lock().is_rotated
    }
}

async fn fetch<S, B, R, K>(
    mut client: S,
    stored: Arc<Stored>,
    persist: Arc<K>,
) -> Result<Token, Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: From<Bytes>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
    K: Persist,
{
    let (refresh, pending) = stored.secrets();
    if pending.is_none() {
        let request = stored.endpoint.request(refresh.as_ref())?;
        let ready = poll_fn(|cx| client.poll_ready(cx)).await;
        ready.map_err(|error| Error::from(error.into()))?;
        let response = client.call(request).await.map_err(|error| Error::from(error.into()))?;
        let issued = answer::read(response, stored.endpoint.lifetime()).await?;
        if let Some(token) = stored.take(issued) {
            return Ok(token);
        }
    }
    // One that came in place of another is kept before anything is done with it.
    let (refresh, pending) = stored.secrets();
    if let Some(refresh) = refresh {
        persist.persist(&refresh).await?;
    }
    stored.secrets.lock().pending = None;
    pending.ok_or_else(|| Error::new(kimi_errors::ErrorKind::System))
}

impl Stored {
    fn secrets(&self) -> (Option<RefreshToken>, Option<Token>) {
        let secrets = self.secrets.lock();
        (secrets.refresh.clone(), secrets.pending.clone())
    }

    /// Returns the token if no other refresh token came with it, else puts both where they are safe.
    fn take(&self, issued: Issued) -> Option<Token> {
        let Issued { token, refresh } = issued;
        let mut secrets = self.secrets.lock();
        match refresh {
            Some(refresh) if secrets.refresh.as_ref() != Some(&refresh) => {
                (secrets.refresh, secrets.pending) = (Some(refresh), Some(token));
                secrets.is_rotated = true;
                None
            }
            _ => Some(token),
        }
    }
}

impl<S, B, K> fmt::Debug for HttpTokenProvider<S, B, K> {
    /// Shows no secret, and not where it asks, which may have one in its query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTokenProvider").finish_non_exhaustive()
    }
}
