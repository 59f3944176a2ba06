//! How a script is read: in objects and whole numbers, and what is neither is called so.
//!
//! What serde derives also takes a list of an object's fields in their order, so that `[]` would be
//! a step, and names types of Rust in its errors.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, de};

/// Implements `Deserialize` of a type that derives it with `remote = "Self"`: from an object only,
/// which errors call `$name`. With `both`, `Serialize` as it is derived.
macro_rules! object {
    ($type:ident, $name:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($name)
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        members: A,
                    ) -> Result<$type, A::Error> {
                        $type::deserialize(serde::de::value::MapAccessDeserializer::new(members))
                    }
                }

                deserializer.deserialize_map(Visitor)
            }
        }
    };
    ($type:ident, $name:literal, both) => {
        $crate::script::plain::object!($type, $name);

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $type::serialize(self, serializer)
            }
        }
    };
}

pub(super) use object;

/// A whole number from 0 on, of whichever size.
struct Number<T>(T);

impl<'de, T: TryFrom<u64>> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<T: TryFrom<u64>> de::Visitor<'_> for Visitor<T> {
            type Value = Number<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let max_bits = 8 * size_of::<T>();
                write!(f, "a whole number from 0 to {}", u64::MAX >> (64 - max_bits))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number<T>, E> {
                let unexpected = de::Unexpected::Unsigned(number);
                T::try_from(number).map(Number).map_err(|_| E::invalid_value(unexpected, &self))
            }

            // TOML has only signed integers.
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number<T>, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                }
            }
        }

        deserializer.deserialize_u64(Visitor(PhantomData))
    }
}

/// Reads a field that must be a number.
pub(super) fn number<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<u64>,
    D: Deserializer<'de>,
{
    Number::deserialize(deserializer).map(|number| number.0)
}

/// Reads a field that is a number if it is there.
pub(super) fn optional_number<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: TryFrom<u64>,
    D: Deserializer<'de>,
{
    let number = Option::<Number<T>>::deserialize(deserializer)?;
    Ok(number.map(|number| number.0))
}
