//! What the example binaries are made of, so that tests can run it in process.
//!
//! Each binary under `src/bin` shows one way of using the Kimi crates. Start with [`gateway`].

pub mod gateway;
pub mod script_file;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../README.zh-CN.md")]
struct ReadmeInChinese;
