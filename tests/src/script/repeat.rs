//! How many requests a step answers.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How many requests a step answers: `3` or `"forever"`; 1 by default.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Repeat {
    /// So many requests, at least 1.
    Times(u64),
    /// Every request from now on.
    Forever,
}

impl Repeat {
    /// Returns whether this is the default, one time.
    pub(super) fn is_once(&self) -> bool {
        *self == Self::Times(1)
    }
}

impl Default for Repeat {
    fn default() -> Self {
        Self::Times(1)
    }
}

impl From<u64> for Repeat {
    fn from(times: u64) -> Self {
        Self::Times(times)
    }
}

impl Serialize for Repeat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Times(times) => serializer.serialize_u64(*times),
            Self::Forever => serializer.serialize_str("forever"),
        }
    }
}

impl<'de> Deserialize<'de> for Repeat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Repeat;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number of requests or \"forever\"")
    }

    fn visit_u64<E: de::Error>(self, times: u64) -> Result<Repeat, E> {
        Ok(Repeat::Times(times))
    }

    // TOML has only signed integers.
    fn visit_i64<E: de::Error>(self, times: i64) -> Result<Repeat, E> {
        let invalid = |_| E::invalid_value(de::Unexpected::Signed(times), &self);
        u64::try_from(times).map(Repeat::Times).map_err(invalid)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Repeat, E> {
        match word {
            "forever" => Ok(Repeat::Forever),
            _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
        }
    }
}
