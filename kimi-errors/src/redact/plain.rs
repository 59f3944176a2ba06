//! Characters that nobody sees: they forge lines of a log, or split a word to hide it.

/// Returns `text` with every run of control characters as one space, none at its ends, and without
/// invisible characters; `None` if it has neither.
pub(super) fn without_controls(text: &str) -> Option<String> {
    if is_printable_ascii(text)
        || !text.chars().any(|character| is_break(character) || is_invisible(character))
    {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut broken = false;
    for character in text.chars().filter(|character| !is_invisible(*character)) {
        if is_break(character) {
            broken = true;
            continue;
        }
        if std::mem::take(&mut broken) && !plain.is_empty() {
            plain.push(' ');
        }
        plain.push(character);
    }
    Some(plain)
}

/// A fold without a branch over a few bytes at a time is done on many of them at once.
fn is_printable_ascii(text: &str) -> bool {
    let are_printable =
        |chunk: &[u8]| chunk.iter().fold(true, |all, byte| all & (b' '..=b'~').contains(byte));
    text.as_bytes().chunks(64).all(are_printable)
}

/// Control characters, and the two separators of Unicode that some terminals break lines at.
fn is_break(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Characters without width, and those that reorder what is read (CVE-2021-42574).
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}
