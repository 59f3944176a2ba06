//! What it costs to try again, and what it helps, in virtual time.
//!
//! A client asks an origin 100 times a second for a minute, on tokio's paused clock: a minute
//! takes no time, and no machine is slow. Which attempt fails depends on the request and on how
//! often it has been tried, so that two clients meet the same weather and two runs print the same
//! [`table`].
//!
//! ```sh
//! cargo run --release -p kimi-benches --bin retry_table
//! ```

mod client;
mod hop;
mod load;
mod origin;
mod ours;
mod peers;
mod random;
mod scenario;
mod table;

#[cfg(test)]
mod tests;

pub use self::table::table;
