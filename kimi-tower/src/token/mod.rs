//! Always a valid token.

mod answer;
mod body;
mod cache;
mod fetch;
mod flight;
mod freshness;
mod future;
mod http_provider;
mod layer;
#[cfg(all(test, loom))]
mod loom_tests;
mod pause;
mod pool;
mod provider;
mod secret;
mod service;
mod shared;
mod signal;
mod source;
mod state;

pub use self::{
    body::ResponseBody,
    cache::{CachedToken, TokenCache, TokenFuture},
    freshness::Freshness,
    future::ResponseFuture,
    http_provider::{HttpTokenProvider, InMemory, Persist, RefreshToken},
    layer::TokenLayer,
    pool::{CallerTokens, Choice, PoolLease, PoolPolicy, PoolWait, TokenPool},
    provider::{StaticToken, TokenProvider},
    secret::Token,
    service::TokenService,
    source::{Leased, TokenSource},
};
