//! The decision tree of errors: what an answer means, how it came about, and what to do.
//!
//! Whoever meets an error looks at four things in turn, and at a fifth if nothing helps:
//!
//! 1. the HTTP status, which gives the branch;
//! 2. the errcode, which gives the twig. kimi-free-api answers every error with HTTP 200: there
//!    the errcode is all there is;
//! 3. the type and the message, which tell the kinds of one twig apart;
//! 4. the kind's causes and remedies, and whether to retry;
//! 5. if it persists: the logs, and somebody to ask.
//!
//! [`diagnose()`] walks this path for one answer, and [`Diagnosis::render`] writes it down for
//! people, programs or drawings. [`tree`](tree()), [`table`], [`mermaid`] and [`svg`] give the
//! whole tree. All of them read the one catalogue behind [`ErrorKind`](crate::ErrorKind): there is
//! no second table that could disagree with it.
//!
//! # Example
//!
//! ```
//! use kimi_errors::{ErrorKind, Lang, RetryAdvice, diagnose::{Format, diagnose}};
//!
//! let body = r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#;
//! let busy = diagnose(Some(429), body.as_bytes());
//! assert_eq!(busy.kind(), Some(ErrorKind::StreamBusy));
//! assert_eq!(busy.advice(), Some(RetryAdvice::AfterStream));
//! print!("{}", busy.render(Format::Text, Lang::Zh));
//!
//! let fine = diagnose(Some(200), br#"{"errcode":0,"errmsg":"OK","data":{"token":"t"}}"#);
//! assert!(fine.is_success());
//! assert_eq!(fine.render(Format::Text, Lang::En), "HTTP 200\nsuccess: no error\n");
//! ```
//!
//! # Caveats
//!
//! A diagnosis shows the message that a stranger wrote, so that it belongs into a terminal or a
//! log, not into an answer to somebody else. Credentials and control characters are taken out of
//! it, as out of every [`Error`](crate::Error)'s message.
//!
//! # Decision tree
//!
#![doc = include_str!("../../docs/decision-tree.en.svg")]
//!
//! <details>
//! <summary>错误处理决策树</summary>
//!
#![doc = include_str!("../../docs/decision-tree.zh.svg")]
//!
//! </details>
//!
#![doc = include_str!("../../docs/errors.en.md")]
//!
#![doc = include_str!("../../docs/errors.zh.md")]

mod diagnosis;
#[cfg(test)]
mod generated_docs;
mod render;
#[cfg(test)]
mod tests;
mod tree;
mod words;

pub use self::{
    diagnosis::{Diagnosis, Step, diagnose},
    render::Format,
    tree::{Branch, Twig, mermaid, svg, table, tree},
};
