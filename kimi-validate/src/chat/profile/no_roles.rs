use std::{error::Error as StdError, fmt};

/// The error of a profile without roles.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NoRoles;

impl fmt::Display for NoRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a profile needs at least one role")
    }
}

impl StdError for NoRoles {}
