//! Texts that are JSON, and texts that are nearly.

use proptest::{collection::vec, prelude::*, sample::select};

/// Around the steps in which strings are gone over, see `bytes.rs` and `string.rs`.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 0_usize..20,
        4 => select(vec![16_usize, 32, 64, 80, 128, 144]).prop_flat_map(|near| near - 2..near + 10),
        1 => select(vec![512_usize, 528, 8_192, 8_704, 8_720]).prop_flat_map(|near| near - 4..near + 20),
    ]
}

/// The inside of a string that is well formed.
pub(super) fn inside() -> impl Strategy<Value = String> {
    let plain = ["a", " ", "/", "~", "\u{7f}", "é", "中", "\u{3000}", "😀", "\u{feff}"];
    let escapes = [r#"\""#, r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t"];
    let units = [r"\u0000", r"\u4e2d", r"\uD7fF", r"\ue000", r"\uFFFF", r"\ud83D\uDe00"];
    let all = [&plain[..], &escapes, &units].concat();
    // Much of one kind, so that long runs occur, and a little of the others.
    let filler = select(all.clone());
    (filler, length(), vec((any::<prop::sample::Index>(), select(all)), 0..4)).prop_map(
        |(filler, length, others)| {
            let mut pieces = vec![filler; length.div_ceil(filler.len())];
            for (place, other) in others {
                pieces.insert(place.index(pieces.len() + 1), other);
            }
            pieces.concat()
        },
    )
}

pub(super) fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        "-?[1-9][0-9]{200,320}(\\.[0-9]{1,3})?([eE]-?[0-9]{1,3})?",
        "-?1\\.79769313486231[56][0-9]{0,5}[eE]\\+?30[78]",
        "-?0\\.0{0,400}[0-9]{1,3}[eE][+-]?[0-9]{1,4}",
    ]
}

fn space() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", "", " ", "\n  ", "\t", " \r\n"])
}

/// A text that is JSON.
pub(super) fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        number().prop_filter("finite", |digits| super::is_json(digits.as_bytes())),
        inside().prop_map(|inside| format!("\"{inside}\"")),
    ];
    let value = leaf.prop_recursive(5, 24, 4, |value| {
        let item = (space(), value, space());
        let item =
            item.prop_map(|(before, value, after)| format!("{before}{value}{after}")).boxed();
        let member = (space(), inside(), space(), item.clone());
        let member = member
            .prop_map(|(before, name, after, value)| format!("{before}\"{name}\"{after}:{value}"));
        prop_oneof![
            (space(), vec(item, 0..4)).prop_map(|(space, items)| match items.is_empty() {
                true => format!("[{space}]"),
                false => format!("[{}]", items.join(",")),
            }),
            (space(), vec(member, 0..4)).prop_map(|(space, members)| match members.is_empty() {
                true => format!("{{{space}}}"),
                false => format!("{{{}}}", members.join(",")),
            }),
        ]
    });
    (space(), value, space()).prop_map(|(before, value, after)| format!("{before}{value}{after}"))
}

/// A change of one place.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Put(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    End(prop::sample::Index),
}

impl Change {
    pub(super) fn apply(&self, text: &mut Vec<u8>) {
        match self {
            Self::Insert(place, byte) => text.insert(place.index(text.len() + 1), *byte),
            _ if text.is_empty() => {}
            Self::Put(place, byte) => {
                let place = place.index(text.len());
                text[place] = *byte;
            }
            Self::Remove(place) => drop(text.remove(place.index(text.len()))),
            Self::End(place) => text.truncate(place.index(text.len())),
        }
    }
}

/// Changes that are likely to matter.
pub(super) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let telling =
        b"\"\\\"\\{}[]:,-+.eE019untfalse/ \t\n\r\0\x1f\x7f\x80\xbf\xc0\xc2\xe4\xed\xef\xf0\xf4\xff";
    let byte = || prop_oneof![4 => select(telling.to_vec()), 1 => any::<u8>()];
    let place = any::<prop::sample::Index>;
    let change = prop_oneof![
        4 => (place(), byte()).prop_map(|(place, byte)| Change::Put(place, byte)),
        4 => (place(), byte()).prop_map(|(place, byte)| Change::Insert(place, byte)),
        4 => place().prop_map(Change::Remove),
        1 => place().prop_map(Change::End),
    ];
    vec(change, 0..4)
}
