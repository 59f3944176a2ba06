use std::{error::Error as StdError, fmt, str::FromStr};

use super::Profile;

/// Parses `article`, `free-api` or `platform`, as for a command line.
///
/// ```
/// use kimi_validate::Profile;
///
/// assert_eq!("platform".parse::<Profile>()?.name(), "platform");
/// let unknown = "openai".parse::<Profile>().unwrap_err();
/// assert_eq!(unknown.to_string(), "unknown profile, expected article, free-api or platform");
/// # Ok::<(), kimi_validate::UnknownProfile>(())
/// ```
impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        match name {
            "article" => Ok(Self::article()),
            "free-api" => Ok(Self::free_api()),
            "platform" => Ok(Self::platform()),
            _ => Err(UnknownProfile),
        }
    }
}

/// The error of parsing a [`Profile`]: lists the names there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnknownProfile;

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown profile, expected article, free-api or platform")
    }
}

impl StdError for UnknownProfile {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_is_parsed_from_its_name() {
        for profile in [Profile::article(), Profile::free_api(), Profile::platform()] {
            let parsed: Profile = profile.name().parse().unwrap();
            assert_eq!(parsed.name(), profile.name());
        }
        for other in ["", "Article", "free_api", " platform"] {
            assert_eq!(other.parse::<Profile>().unwrap_err(), UnknownProfile, "{other:?}");
        }
    }
}
