use std::{error::Error as StdError, fmt};

/// Why Redis has not done what was asked. It says nothing of URLs, keys and values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LinkError {
    /// It is known to be down, and was not asked.
    Down,
    /// There was no answer in time. What was asked may have been done, or be done later.
    Timeout,
    /// The connection was lost. What was asked may have been done.
    Lost,
    /// It has answered with an error.
    Refused,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "redis is down",
            Self::Timeout => "redis has not answered in time",
            Self::Lost => "the connection to redis is lost",
            Self::Refused => "redis has answered with an error",
        })
    }
}

impl StdError for LinkError {}

/// What was given is no URL of a Redis. It does not say what was given, which may have a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LinkUrlError {}

impl LinkUrlError {
    pub(super) const fn new() -> Self {
        Self {}
    }
}

impl fmt::Display for LinkUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no URL of a redis, or one of TLS without the feature redis-tls")
    }
}

impl StdError for LinkUrlError {}
