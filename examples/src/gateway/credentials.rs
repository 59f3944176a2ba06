//! What the gateway itself is known by to the upstream.

use std::{path::Path, pin::Pin, time::Duration};

use bytes::Bytes;
use http::{Uri, request::Parts};
use http_body_util::Full;
use kimi_errors::{BoxError, Error};
use kimi_tower::token::{
    Freshness, HttpTokenProvider, Leased, PoolLease, PoolPolicy, PoolWait, RefreshToken,
    StaticToken, Token, TokenCache, TokenPool, TokenProvider, TokenSource,
};

use super::{refresh_file::RefreshFile, transport::Transport};

/// The credentials of a gateway: none, several keys, or a token that is refreshed. A clone has the
/// same.
#[derive(Clone, Debug)]
pub struct Credentials(Option<TokenPool<Provider>>);

/// Where a token comes from.
type Provider = Box<dyn Fn() -> Fetch + Send + Sync>;

type Fetch = Pin<Box<dyn Future<Output = Result<Token, Error>> + Send>>;

/// How long a token endpoint may be silent: 15 s, as long as a refresh may take at all.
const TIMEOUT: Duration = Duration::from_secs(15);

impl Credentials {
    /// Where kimi.com gives a token for a refresh token.
    pub const KIMI_COM: &str =
        "https://auth.kimi.com/api/account.gateway.v1.AuthService/RefreshToken";

    /// Creates those of several keys, of a refresh token, of a file with one, or of an endpoint: the
    /// first that there is.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse) and [`of_refresh_file`](Self::of_refresh_file).
    pub fn choose(
        keys: Option<String>,
        refresh: Option<String>,
        file: Option<&Path>,
        uri: Option<Uri>,
    ) -> Result<Self, BoxError> {
        let kimi_com = || Uri::from_static(Self::KIMI_COM);
        if let Some(keys) = keys {
            return Ok(Self::parse(&keys)?);
        }
        if let Some(refresh) = refresh {
            let refresh = RefreshToken::new(&refresh);
            return Ok(Self::of_refresh_token(uri.unwrap_or_else(kimi_com), refresh));
        }
        match file {
            Some(file) => Self::of_refresh_file(uri.unwrap_or_else(kimi_com), file),
            None => Ok(uri.map_or_else(Self::none, Self::of_endpoint)),
        }
    }

    /// Creates none.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Creates those of a list: `T1,T2,T3`.
    ///
    /// # Errors
    ///
    /// [`InvalidCredentials`](kimi_errors::ErrorKind::InvalidCredentials) if one is no token, or there
    /// is none.
    pub fn parse(list: &str) -> Result<Self, Error> {
        let tokens = list.split(',').map(str::trim).filter(|text| !text.is_empty());
        let keys: Result<Vec<_>, _> = tokens.map(Token::parse).collect();
        let keys = keys?;
        if keys.is_empty() {
            // Says what a token is.
            return Token::parse("").map(|_| Self::none());
        }
        Ok(Self::of(keys.into_iter().map(StaticToken::new)))
    }

    /// Creates that of an endpoint such as the article's, `POST /api/token`.
    #[must_use]
    pub fn of_endpoint(uri: Uri) -> Self {
        let client = Transport::<Full<Bytes>>::new(TIMEOUT);
        Self::of([HttpTokenProvider::article(client, uri)])
    }

    /// Creates that for which a refresh token is exchanged, at an endpoint such as kimi.com's. One that
    /// comes in its place is lost with the process.
    #[must_use]
    pub fn of_refresh_token(uri: Uri, refresh: RefreshToken) -> Self {
        let client = Transport::<Full<Bytes>>::new(TIMEOUT);
        Self::of([HttpTokenProvider::connect(client, uri, refresh)])
    }

    /// Creates the same, of the refresh token in a file, in which the next is kept.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or there is nothing in it.
    pub fn of_refresh_file(uri: Uri, path: &Path) -> Result<Self, BoxError> {
        let client = Transport::<Full<Bytes>>::new(TIMEOUT);
        let (file, refresh) = RefreshFile::open(path).map_err(|error| {
            format!("cannot read a refresh token in {}: {error}", path.display())
        })?;
        Ok(Self::of([HttpTokenProvider::connect(client, uri, refresh).with_persist(file)]))
    }

    fn of<P>(providers: impl IntoIterator<Item = P>) -> Self
    where
        P: TokenProvider<Future: Send + 'static> + Send + Sync + 'static,
    {
        let caches = providers.into_iter().map(|provider| {
            let fetch = move || -> Fetch { Box::pin(provider.fetch()) };
            TokenCache::new(Box::new(fetch) as Provider, Freshness::new())
        });
        Self(Some(TokenPool::new(caches, PoolPolicy::new())))
    }
}

impl TokenSource for Credentials {
    type Lease = PoolLease<Provider>;
    type Wait = PoolWait<Provider>;

    fn lease(&self, head: &Parts) -> Leased<Self::Lease, Self::Wait> {
        self.0.lease(head)
    }

    fn heed(&self, lease: &Self::Lease, error: &Error) -> bool {
        self.0.heed(lease, error)
    }
}
