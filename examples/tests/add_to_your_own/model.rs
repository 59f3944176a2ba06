//! What the services of these tests are about.

use std::io;

/// Stands in what nobody outside is to read.
pub(crate) const CANARY: &str = "hunter2";

/// Answers questions.
#[derive(Clone)]
pub(crate) struct Model {
    id: &'static str,
}

impl Model {
    pub(crate) const fn new() -> Self {
        Self { id: "kimi-k3" }
    }

    pub(crate) async fn answer(&self, question: &str) -> io::Result<String> {
        match question {
            "fail" => Err(io::Error::new(io::ErrorKind::TimedOut, CANARY)),
            "panic" => panic!("{CANARY}"),
            _ => Ok(format!("{question}, you say?")),
        }
    }

    pub(crate) fn context_length(&self, id: &str) -> Option<u32> {
        (id == self.id).then_some(262_144)
    }
}
