use std::fmt;

/// Who speaks a message: the four of the platform's API reference. OpenAI's `developer` is refused there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Role {
    /// Sets the scene.
    System,
    /// Asks.
    User,
    /// Answers: the model.
    Assistant,
    /// The result of a call that the assistant made.
    Tool,
}

impl Role {
    /// All of them, in the order in which messages name them.
    pub const ALL: &'static [Self] = &[Self::System, Self::User, Self::Assistant, Self::Tool];

    /// Returns the name on the wire, such as `user`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
