//! A scriptable Kimi upstream, probes, and the contract that every layer keeps.
//!
//! It is for tests and for trying things out, never for production: it answers whatever it is
//! told to, to anybody who asks.
//!
//! | module | for |
//! |---|---|
//! | [`mock`] | a Kimi upstream in the process, a tower service |
//! | [`server`] | the same behind a loopback socket |
//! | [`redis`] | a `redis-server` of a test's own |
//! | [`wall_clock`] | a time of day that jumps, for a test's child processes |
//! | [`script`] | what it shall answer, and what shall go wrong: JSON, TOML or Rust |
//!
//! # Example
//!
//! Any error scenario in a test. These are the two of the article, and one that it could not
//! write: a stream that breaks off.
//!
//! ```
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::{BodyExt as _, Full};
//! use kimi_testkit::{mock::Mock, script::Step};
//! use tower::ServiceExt as _;
//!
//! async fn chat(mock: &Mock, token: &str, body: &'static str) -> (u16, Bytes) {
//!     let request = Request::post("/api/chat")
//!         .header("authorization", format!("Bearer {token}"))
//!         .body(Full::from(body))
//!         .unwrap();
//!     let answer = mock.clone().oneshot(request).await.unwrap();
//!     (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mock = Mock::platform();
//!
//! // -1001 when a required parameter is missing.
//! let (status, body) = chat(&mock, "sk-test", r#"{"model":"kimi"}"#).await;
//! assert_eq!(status, 400);
//! assert_eq!(
//!     body,
//!     r#"{"errcode":-1001,"errmsg":"消息列表(messages)必须是非空数组","data":null}"#
//! );
//!
//! // -2002 when the token has expired.
//! let hello = r#"{"model":"kimi","stream":true,"messages":[{"role":"user","content":"Hello"}]}"#;
//! let (status, body) = chat(&mock, "EXPIRED_TOKEN", hello).await;
//! assert_eq!(status, 401);
//! assert_eq!(body, r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#);
//!
//! // The connection ends after 100 bytes of the stream.
//! mock.push(Step::ok().with_cut_at(100))?;
//! let (status, body) = chat(&mock, "sk-test", hello).await;
//! assert_eq!((status, body.len()), (200, 100));
//! # Ok(())
//! # }
//! ```
//!
//! Minimum Rust version: 1.88.

pub mod contract;
pub mod mock;
pub mod probe;
pub mod redis;
pub mod script;
pub mod server;
mod sync;
pub mod wall_clock;
