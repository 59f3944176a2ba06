//! What the example binaries are made of, so that tests can run it in process.
//!
//! Each binary under `src/bin` shows one way of using the Kimi crates. Start with [`gateway`].

mod ending;
pub mod gateway;
pub mod script_file;

pub use self::ending::told_to_end;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../README.zh-CN.md")]
struct ReadmeInChinese;
