//! What every layer promises, as one call to make in a test.
//!
//! ```
//! use kimi_testkit::contract::Contract;
//! use tower_layer::Identity;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! Contract::of(Identity::new()).check().await;
//! # }
//! ```
//!
//! 1. The inner service is ready before each call, in every instance; a clone is not ready.
//! 2. While the inner service is not ready it is not called, and the task is woken when it is.
//! 3. Dropping the future, or the body, drops the inner one at once.
//! 4. Two clones work at the same time.
//! 5. A request that is not refused, and its answer, pass unchanged: heads, extensions, frames,
//!    trailers, size hints.

mod check;
mod subject;

pub use self::{check::Contract, subject::Subject};
