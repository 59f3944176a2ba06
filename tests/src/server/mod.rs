//! The mock behind a loopback socket, for clients that want a URL.
//!
//! HTTP/1.1 and HTTP/2 without TLS, told apart by the first bytes.
//!
//! ```
//! use kimi_testkit::{mock::Mock, server::MockServer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let mock = Mock::platform();
//! let server = MockServer::start(mock.clone()).await?;
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! // Point a client at `server.url()`, then look at `mock.requests()`.
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Cancellation
//!
//! Dropping the server closes the port and every connection at once. [`MockServer::stop`] first
//! lets the answers end that are on their way.
//!
//! # Caveats
//!
//! Sockets and a paused clock do not go together: while a test waits for a socket, tokio finds the
//! program idle and moves the clock on. Use the [`Mock`](crate::mock::Mock) in the process for what
//! takes time.

mod connection;
mod listen;

pub use self::listen::MockServer;
