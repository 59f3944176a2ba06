//! A place in other words than a JSON pointer's: cut for an answer, as OpenAI writes it, and step by
//! step.

use std::borrow::Cow;

/// How much of a pointer, or of a name, is shown, in bytes as JSON writes them. Ours: the longest
/// pointer of a built-in profile has 61, with indexes that fill 4 GiB; a name that
/// [`with_required`](crate::Profile::with_required) was given may be of any length.
pub(super) const MAX_SHOWN: usize = 64;

/// One step of a pointer: a member, or an item of the member that an array is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step<'a> {
    Name(Cow<'a, str>),
    Item(Cow<'a, str>, &'a str),
}

/// Returns the pointer, or name, as it may stand in an answer: in one line, and if it is longer than
/// [`MAX_SHOWN`] cut, with `…` for the rest.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.len() <= MAX_SHOWN && text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let plain = text.chars().map(|it| if breaks_lines(it) { '\u{fffd}' } else { it });
    let mut bytes = 0;
    let mut shown = String::new();
    // Where the text ends if something must go: `…` has three bytes.
    let mut cut = 0;
    for character in plain {
        bytes += if matches!(character, '"' | '\\') { 2 } else { character.len_utf8() };
        if bytes > MAX_SHOWN {
            shown.truncate(cut);
            // Half of `~0` or `~1` would be no pointer.
            let length = shown.strip_suffix('~').map_or(cut, str::len);
            shown.truncate(length);
            shown.push('…');
            break;
        }
        shown.push(character);
        if bytes <= MAX_SHOWN - '…'.len_utf8() {
            cut = shown.len();
        }
    }
    Cow::Owned(shown)
}

/// Returns the place as OpenAI names it in `param`, such as `messages[0].role`; `None` for the whole
/// body.
pub(crate) fn param(pointer: &str) -> Option<String> {
    let mut param = String::new();
    for step in steps(pointer) {
        if !param.is_empty() {
            param.push('.');
        }
        match step {
            Step::Name(name) => param.push_str(&name),
            Step::Item(list, index) => {
                param.push_str(&list);
                param.push('[');
                param.push_str(index);
                param.push(']');
            }
        }
    }
    (!param.is_empty()).then(|| shown(&param).into_owned())
}

/// Returns the steps of a pointer. The body is an object, so that the first is a name, and no name
/// below that a profile knows is made of digits.
pub(super) fn steps(pointer: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = pointer.split('/').skip(1).peekable();
    std::iter::from_fn(move || {
        let name = unescape(rest.next()?);
        Some(match rest.next_if(|next| is_index(next)) {
            Some(index) => Step::Item(name, index),
            None => Step::Name(name),
        })
    })
}

fn is_index(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// RFC 6901 §4: `~1` first.
fn unescape(name: &str) -> Cow<'_, str> {
    match name.contains('~') {
        true => Cow::Owned(name.replace("~1", "/").replace("~0", "~")),
        false => Cow::Borrowed(name),
    }
}

fn breaks_lines(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn params_are_written_as_openai_writes_them() {
        for (pointer, expected) in [
            ("", None),
            ("/model", Some("model")),
            ("/messages/0", Some("messages[0]")),
            ("/messages/12/role", Some("messages[12].role")),
            ("/messages/0/content/3/image_url/url", Some("messages[0].content[3].image_url.url")),
            ("/a~1b~0c", Some("a/b~c")),
            ("/~01", Some("~1")),
            ("/7", Some("7")),
        ] {
            assert_eq!(param(pointer).as_deref(), expected, "{pointer}");
        }
    }

    #[test]
    fn no_place_of_a_built_in_profile_is_cut() {
        let pointers = crate::violation::samples::pointers();
        for pointer in &pointers {
            assert_eq!(shown(pointer), *pointer);
            assert!(param(pointer).is_none_or(|param| !param.contains('…')), "{pointer}");
        }
        // As the limit's documentation says.
        assert_eq!(pointers.iter().map(String::len).max(), Some(61));
    }

    #[test]
    fn what_is_shown_is_one_short_line() {
        let whole = "/".repeat(64);
        let cut = "x".repeat(61) + "…";
        for (text, expected) in [
            ("", ""),
            ("/messages/0/role", "/messages/0/role"),
            ("/用户", "/用户"),
            ("/a\nb\u{2028}c\0", "/a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("/\"a\\", "/\"a\\"),
            (&whole, &whole),
            (&"x".repeat(65), &cut),
            (&"\"".repeat(33), &("\"".repeat(30) + "…")),
            (&("x".repeat(60) + "~1" + "yyyy"), &("x".repeat(60) + "…")),
            (&"用".repeat(22), &("用".repeat(20) + "…")),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn prop_what_is_shown_is_bounded(text: String, repeat in 0_usize..9) {
            let text = text.repeat(repeat);
            let shown = shown(&text);
            prop_assert!(serde_json::to_string(&shown).unwrap().len() <= MAX_SHOWN + 2);
            prop_assert!(!shown.chars().any(char::is_control));
            let same = text.chars().zip(shown.chars()).filter(|(a, b)| a == b || *b == '\u{fffd}');
            prop_assert!(same.count() + 1 >= shown.chars().count());
        }

        #[test]
        fn prop_steps_are_the_names(names in proptest::collection::vec("[~/01]{0,4}[a-z]", 1..5)) {
            let escaped = names.iter().map(|it| it.replace('~', "~0").replace('/', "~1"));
            let pointer: String = escaped.map(|it| format!("/{it}")).collect();
            let names: Vec<_> = names.iter().map(|it| Step::Name(it.into())).collect();
            prop_assert_eq!(steps(&pointer).collect::<Vec<_>>(), names);
        }
    }
}
