//! Services and bodies that do what a test tells them, and remember what was done to them.
//!
//! ```
//! use http::{Request, Response};
//! use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody};
//! use tower_service::Service;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let body = ProbeBody::new([Beat::Data("hello".into()), Beat::Fail("cut".into())]);
//! let (mut probe, seen) = Probe::new([Act::Answer(Response::new(body))]);
//!
//! std::future::poll_fn(|cx| Service::<Request<ProbeBody>>::poll_ready(&mut probe, cx)).await?;
//! probe.call(Request::new(ProbeBody::empty())).await?;
//! assert_eq!((seen.calls(), seen.unready_calls()), (1, 0));
//! # Ok(())
//! # }
//! ```

mod body;
mod seen;
mod service;

pub use self::{
    body::{Beat, BodySeen, ProbeBody, Quirk},
    seen::{Seen, SeenRequest},
    service::{Act, Probe, ProbeFuture, Readiness},
};
