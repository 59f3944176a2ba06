//! The behavior of the Kimi crates, through their public API, one module for each layer and host.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod catch_error;
mod concurrency;
mod connect;
mod contract;
mod decode;
mod events;
mod file_url;
mod hosts;
mod mock;
mod never_sent;
mod peers;
mod probe;
mod raise_error;
mod rate_limit;
mod redis;
mod replay;
mod request_log;
mod retry;
mod schema;
mod secrets;
mod session;
mod token;
mod validate;
mod validate_layer;
mod woken;
