//! Observers that write a line for each record themselves.

mod digits;
mod escape;
mod json;
mod sink;
mod text;
mod timestamp;

pub use self::{json::JsonObserver, text::TextObserver};
