//! The gateway, asked over a loopback socket as a client would ask it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod broken_upstream;
mod door;
mod errors;
mod in_a_row;
mod limits;
mod log;
mod passing;
mod retry;
mod session;
mod shared;
mod slow_upstream;
mod status;
mod token;
mod wire;
