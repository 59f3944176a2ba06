use std::str::from_utf8;

use proptest::prelude::*;

use super::{generate, is_json};
use crate::{
    json::{Chars, Fault, Scanner, Str, unescape},
    violation::Rule,
};

/// Reads the string at the beginning, one character after the other.
fn reference(text: &[u8]) -> Result<Str, Fault> {
    let syntax = |at| Err(Fault { at, rule: Rule::Syntax });
    let unit = |start: usize| {
        (start..start + 4).try_fold(0, |unit, at| {
            let digit = text.get(at).and_then(|digit| char::from(*digit).to_digit(16));
            digit.map(|digit| unit * 16 + digit).ok_or(Fault { at, rule: Rule::Syntax })
        })
    };
    let mut at = 1;
    let mut is_escaped = false;
    loop {
        match text.get(at) {
            None | Some(0..0x20) => return syntax(at),
            Some(b'"') => return Ok(Str { start: 1, end: at, is_escaped }),
            Some(b'\\') => {
                is_escaped = true;
                let lone = Err(Fault { at, rule: Rule::LoneSurrogate });
                match text.get(at + 1) {
                    Some(b'u') => {}
                    Some(plain) if b"\"\\/bfnrt".contains(plain) => {
                        at += 2;
                        continue;
                    }
                    _ => return syntax(at + 1),
                }
                match unit(at + 2)? {
                    0xDC00..=0xDFFF => return lone,
                    0xD800..=0xDBFF => {
                        for (at, expected) in [(at + 6, b'\\'), (at + 7, b'u')] {
                            match text.get(at) {
                                None => return syntax(at),
                                Some(byte) if *byte == expected => {}
                                Some(_) => return lone,
                            }
                        }
                        if !(0xDC00..=0xDFFF).contains(&unit(at + 8)?) {
                            return lone;
                        }
                        at += 12;
                    }
                    _ => at += 6,
                }
            }
            Some(_) => {
                let is_char = |length: &usize| {
                    text.get(at..at + length).is_some_and(|bytes| from_utf8(bytes).is_ok())
                };
                match (1..=4).find(is_char) {
                    Some(length) => at += length,
                    None => return Err(Fault { at, rule: Rule::Utf8 }),
                }
            }
        }
    }
}

fn read(text: &[u8]) -> Result<Str, Fault> {
    Scanner::new(text, 0).string()
}

#[test]
fn every_length_ends_where_it_should() {
    let fillers = ["a", "é", "中", "😀", r"\n", r"\u4e2d", r"\ud83d\ude00"];
    for filler in fillers {
        for length in (0..300).chain(500..530).chain(8_180..8_220).chain(8_690..8_740) {
            let inside = filler.repeat(length / filler.len()) + &"b".repeat(length % filler.len());
            for after in ["", ",", ", \"another\": 1, \"and more\": \"to read than one word has\""]
            {
                let text = format!("\"{inside}\"{after}");
                let expected =
                    Str { start: 1, end: 1 + inside.len(), is_escaped: inside.contains('\\') };
                assert_eq!(read(text.as_bytes()), Ok(expected), "{filler} {length}");
            }
        }
    }
}

#[test]
fn every_byte_is_judged_at_every_place() {
    for place in (0..150).chain(505..530) {
        for byte in 0..=u8::MAX {
            for filler in ["a", "中"] {
                let mut text = format!("\"{}\"", filler.repeat(600 / filler.len())).into_bytes();
                text[1 + place] = byte;
                assert_eq!(read(&text), reference(&text), "{filler} {place} {byte:#x}");
            }
        }
    }
}

#[test]
fn texts_with_many_escapes_are_judged_to_their_end() {
    let line = r"请分析\n这个文档\u3002";
    let text = format!("\"{}\"", line.repeat(1_000)).into_bytes();
    assert_eq!(read(&text), reference(&text));
    for place in (1..text.len() - 1).step_by(509) {
        for byte in *b"\n\xFF\x80\"\\a" {
            let mut text = text.clone();
            text[place] = byte;
            assert_eq!(read(&text), reference(&text), "{place} {byte:#x}");
        }
    }
}

#[test]
fn a_text_that_is_cut_off_ends_where_it_is_cut() {
    let text = r#""a\ud83d\ude00\n\u4e2d""#;
    for length in 1..text.len() {
        let cut = &text.as_bytes()[..length];
        assert_eq!(read(cut), Err(Fault { at: length, rule: Rule::Syntax }), "{length}");
        assert_eq!(read(cut), reference(cut), "{length}");
    }
}

#[test]
fn every_digit_of_an_escape_is_judged() {
    for place in 2..6 {
        for byte in 0..=u8::MAX {
            for unit in [r"\u4e2d", r"\uD7FF", r"\ue000"] {
                let mut text = format!("\"{unit}{unit}\"").into_bytes();
                text[place + 1] = byte;
                assert_eq!(read(&text), reference(&text), "{unit} {place} {byte:#x}");
            }
        }
    }
}

#[test]
fn a_name_is_borrowed_unless_it_is_escaped() {
    assert!(matches!(unescape("角色".as_bytes()), std::borrow::Cow::Borrowed("角色")));
    assert_eq!(unescape(br"r\u006fle"), "role");
    assert_eq!(unescape(br#"\"\\\/\b\f\n\r\t\u0000\ud83d\ude00"#), "\"\\/\u{8}\u{c}\n\r\t\0😀");
}

#[test]
fn characters_end_at_the_first_that_is_wrong() {
    let cases: &[&[u8]] =
        &[b"a\xFFb", b"a\xE4abc", b"a\\x", b"a\\", b"a\\u12", b"a\\ud800", b"a\\ud800\\u0041"];
    for raw in cases {
        let mut chars = Chars::new(raw);
        assert_eq!([chars.next(), chars.next(), chars.next()], [Some('a'), None, None], "{raw:?}");
    }
}

proptest! {
    #[test]
    fn prop_strings_are_read_as_byte_by_byte(
        inside in generate::inside(),
        changes in generate::changes(),
        after in prop::sample::select(vec!["", "\"", "\",", "\"}]                    "]),
    ) {
        let mut text = inside.into_bytes();
        changes.iter().for_each(|change| change.apply(&mut text));
        text.insert(0, b'"');
        text.extend(after.as_bytes());
        prop_assert_eq!(read(&text), reference(&text), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn prop_escapes_are_resolved_as_by_serde_json(inside in generate::inside()) {
        let text = format!("\"{inside}\"");
        prop_assert!(is_json(text.as_bytes()));
        let expected: String = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(unescape(inside.as_bytes()), &*expected);
        prop_assert_eq!(Chars::new(inside.as_bytes()).collect::<String>(), expected);
    }

    #[test]
    fn prop_characters_of_anything_are_a_beginning_of_it(
        inside in generate::inside(),
        changes in generate::changes(),
    ) {
        let mut raw = inside.into_bytes();
        changes.iter().for_each(|change| change.apply(&mut raw));
        let chars = Chars::new(&raw);
        prop_assert!(chars.size_hint().1 >= Some(chars.clone().count()));
        let text: String = chars.collect();
        prop_assert!(text.len() <= raw.len());
        if from_utf8(&raw).is_ok() && !raw.contains(&b'\\') {
            prop_assert_eq!(text.as_bytes(), &*raw);
        }
        // It does not panic either.
        unescape(&raw);
    }
}
