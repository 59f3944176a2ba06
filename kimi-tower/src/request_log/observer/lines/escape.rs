//! Texts that cannot end the line they stand in.

/// Writes a text within the quotes of a string of JSON, RFC 8259 §7. Beyond what must be, it escapes
/// what a terminal or an editor could take for the end of a line or for a command.
#[inline]
pub(super) fn json(text: &str, line: &mut Vec<u8>) {
    // All of them are looked at, since that is done for several at a time.
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        line.extend_from_slice(text.as_bytes());
    } else {
        escaped(text, line);
    }
}

/// Writes a text as it is, but for what is escaped in JSON and blanks, at which readers part lines.
pub(super) fn word(text: &str, line: &mut Vec<u8>) {
    for part in text.split_inclusive(' ') {
        match part.strip_suffix(' ') {
            Some(part) => {
                json(part, line);
                line.extend_from_slice(b"\\u0020");
            }
            None => json(part, line),
        }
    }
}

/// Writes a text within quotes of which all but quotes is escaped already, as that of a
/// [preview](crate::facts::Facts) is.
pub(super) fn quotes(text: &str, line: &mut Vec<u8>) {
    for (number, part) in text.split('"').enumerate() {
        line.extend_from_slice(if number == 0 { b"" } else { b"\\\"" });
        line.extend_from_slice(part.as_bytes());
    }
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

#[cold]
fn escaped(text: &str, line: &mut Vec<u8>) {
    for character in text.chars() {
        match character {
            '"' => line.extend_from_slice(b"\\\""),
            '\\' => line.extend_from_slice(b"\\\\"),
            '\n' => line.extend_from_slice(b"\\n"),
            '\r' => line.extend_from_slice(b"\\r"),
            '\t' => line.extend_from_slice(b"\\t"),
            // All of them are below 65 536.
            _ if is_risky(character) => {
                line.extend_from_slice(b"\\u");
                super::digits::hexadecimal(u32::from(character).into(), 4, line);
            }
            _ => line.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Control characters, the other ends of lines, what changes the direction of a text, what is not
/// seen, and all blanks but the one of ASCII.
fn is_risky(character: char) -> bool {
    let is_blank = character != ' ' && character.is_whitespace();
    let is_unseen = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    );
    character.is_control() || is_blank || is_unseen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn written(text: &str) -> String {
        let mut line = b"\"".to_vec();
        json(text, &mut line);
        line.push(b'"');
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn what_could_forge_a_line_is_escaped() {
        for (text, expected) in [
            ("kimi-k3", r#""kimi-k3""#),
            ("月之暗面", r#""月之暗面""#),
            ("a\r\n{\"x\":1}", r#""a\r\n{\"x\":1}""#),
            ("\u{1b}[31m\0\\", r#""\u001b[31m\u0000\\""#),
            ("\u{85}\u{2028}\u{202e}\u{feff}\u{7f}", r#""\u0085\u2028\u202e\ufeff\u007f""#),
            ("\u{a0}\u{3000}\u{2003}\u{ad}\u{fffb}", r#""\u00a0\u3000\u2003\u00ad\ufffb""#),
        ] {
            assert_eq!(written(text), expected);
        }
    }

    #[test]
    fn a_word_has_no_blank() {
        let mut line = Vec::new();
        word(" a b\n ", &mut line);
        assert_eq!(line, br"\u0020a\u0020b\n\u0020");
    }

    #[test]
    fn quotes_within_quotes_are_escaped() {
        let mut line = Vec::new();
        quotes("\"a\" 月", &mut line);
        assert_eq!(line, "\\\"a\\\" 月".as_bytes());
    }

    proptest! {
        #[test]
        fn prop_a_word_is_one_to_whoever_parts_at_blanks(text in "(\\PC|\\s){1,20}") {
            let mut line = Vec::new();
            word(&text, &mut line);
            let written = String::from_utf8(line).unwrap();
            prop_assert_eq!(written.split_whitespace().count(), 1);
        }

        #[test]
        fn prop_any_text_is_read_back(text in any::<String>()) {
            let written = written(&text);
            prop_assert!(!written.chars().any(is_risky));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
