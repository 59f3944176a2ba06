//! Tokens of an endpoint, over any HTTP client that is a tower service.

mod answer;
mod endpoint;
mod persist;
mod provider;
mod refresh_token;

pub use self::{
    persist::{InMemory, Persist},
    provider::HttpTokenProvider,
    refresh_token::RefreshToken,
};
