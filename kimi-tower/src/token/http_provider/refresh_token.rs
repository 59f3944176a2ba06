use std::fmt;

/// What fresh tokens are asked for with. Its `Debug` shows nothing of it.
#[derive(Clone, Eq, PartialEq)]
pub struct RefreshToken(Box<str>);

impl RefreshToken {
    /// Creates one of the text, without blanks around it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim_ascii().into())
    }

    /// Returns the secret itself, to be kept where no log finds it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken").finish_non_exhaustive()
    }
}
