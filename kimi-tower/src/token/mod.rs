//! Always a valid token.

mod cache;
mod fetch;
mod flight;
mod freshness;
#[cfg(all(test, loom))]
mod loom_tests;
mod provider;
mod secret;
mod signal;
mod state;

pub use self::{
    cache::{CachedToken, TokenCache, TokenFuture},
    freshness::Freshness,
    provider::{StaticToken, TokenProvider},
    secret::Token,
};
