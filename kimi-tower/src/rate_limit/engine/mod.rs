//! The engines: pure logic. No clock but the `now` that they are given, no lock, no allocation.

mod cell;
mod decision;
mod gcra;
mod limit;
mod log;
mod moment;
mod quota;
mod ticks;
mod together;
mod window;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;

pub use self::{
    cell::GcraCell,
    decision::{Decision, Level},
    gcra::Gcra,
    limit::Limit,
    moment::Moment,
    quota::{Quota, QuotaError},
    together::{Charge, Together, decide_together},
    window::SlidingWindow,
};
