//! Several tokens, of which each request is sent with one.

mod callers;
mod choice;
mod fixed;
mod lease;
mod member;

pub use self::{
    callers::CallerTokens,
    choice::{Choice, PoolPolicy},
    fixed::TokenPool,
    lease::{PoolLease, PoolWait},
};
