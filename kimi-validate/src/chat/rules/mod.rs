//! The rules of the three profiles, as tables.

pub(crate) mod article;
pub(crate) mod free_api;
pub(crate) mod pattern;
pub(crate) mod platform;

use super::table::{Check, Field, Slot, Text};
use crate::limits::MAX_NAME_BYTES;

/// The name of a model: not blank (article), and short enough to be a key (ours).
pub(crate) const MODEL: Field =
    Field::new("model", Check::Text(Text::NOT_BLANK.with_max_bytes(MAX_NAME_BYTES)))
        .kept(Slot::Model);

/// A non-empty array (article; facts `free.params`; `plat.empty_message`, «messages must not be
/// empty»).
pub(crate) const MESSAGES: Field = Field::new("messages", Check::Messages).required();

/// One of the profile's (article; API reference of the platform).
pub(crate) const ROLE: Field = Field::new("role", Check::Role).required().kept(Slot::Role);

/// Not blank (article; facts `plat.empty_message`). Whether it may be missing depends on the rest of the message, which its judge knows.
pub(crate) const CONTENT: Field = Field::new("content", Check::Content).kept(Slot::Content);

/// A boolean (article). The other profiles take `null` for one left out.
pub(crate) const STREAM: Field = Field::new("stream", Check::Boolean).kept(Slot::Stream);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::found::Slots;

    /// Every table, with those inside of it.
    fn tables(fields: &'static [Field], all: &mut Vec<&'static [Field]>) {
        fn within(check: &Check, all: &mut Vec<&'static [Field]>) {
            match check {
                Check::Object(fields) => tables(fields, all),
                Check::Array(items) => within(items.check, all),
                Check::Either(first, second) => {
                    within(first, all);
                    within(second, all);
                }
                _ => {}
            }
        }
        all.push(fields);
        fields.iter().for_each(|field| within(&field.check, all));
    }

    /// `Pass::object` counts on all three.
    #[test]
    fn required_fields_stand_first_each_slot_is_one_fields_and_no_table_has_more_than_64() {
        let mut all = Vec::new();
        for fields in [article::REQUEST, article::MESSAGE, free_api::REQUEST, free_api::MESSAGE] {
            tables(fields, &mut all);
        }
        for fields in [free_api::PART, platform::REQUEST, platform::MESSAGE, platform::PART] {
            tables(fields, &mut all);
        }
        assert!(all.len() > 20, "{}", all.len());
        for fields in all {
            let names: Vec<_> = fields.iter().map(|field| field.name).collect();
            assert!(fields.is_sorted_by_key(|field| !field.is_required), "{names:?}");
            assert!(fields.len() <= 64, "{names:?}");
            let mut places: Vec<_> =
                fields.iter().filter_map(|field| field.slot).map(Slots::place).collect();
            places.sort_unstable();
            assert!(places.is_sorted_by(|a, b| a < b), "two values in one slot: {names:?}");
        }
    }
}
