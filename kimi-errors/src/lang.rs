//! The languages that messages and remedies are written in.

use std::str::FromStr;

/// A language of user-facing text; Chinese unless said otherwise, as on Kimi's own wire.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Lang {
    /// Chinese, simplified.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Returns the language tag, `zh` or `en`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

impl FromStr for Lang {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "zh" => Ok(Self::Zh),
            "en" => Ok(Self::En),
            _ => Err(UnknownName { expected: "zh, en" }),
        }
    }
}

/// The error of parsing a [`Lang`] or a [`Dialect`](crate::Dialect): lists the names there are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownName {
    pub(crate) expected: &'static str,
}

impl std::fmt::Display for UnknownName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown name, expected one of: {}", self.expected)
    }
}

impl std::error::Error for UnknownName {}
