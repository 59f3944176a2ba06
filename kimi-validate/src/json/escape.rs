use super::Fault;
use crate::violation::Rule;

/// Goes over the escape that begins here and those that follow at once, and returns where that is.
#[inline(always)]
pub(super) fn escapes(text: &[u8], start: usize) -> Result<usize, Fault> {
    let mut rest = text.get(start..).unwrap_or_default();
    loop {
        rest = match rest {
            [b'\\', b'u', a, b, c, d, after @ ..] => {
                let [a, b, c, d] = [a, b, c, d].map(|digit| HEX[usize::from(*digit)]);
                if (a | b | c | d) > 0xF {
                    break;
                }
                match (a, b) {
                    (0xD, 0x8..0xC) => match after {
                        [b'\\', b'u', b'd' | b'D', b, c, d, after @ ..] => {
                            let [b, c, d] = [b, c, d].map(|digit| HEX[usize::from(*digit)]);
                            if b < 0xC || (b | c | d) > 0xF {
                                break;
                            }
                            after
                        }
                        _ => break,
                    },
                    (0xD, 0xC..) => break,
                    _ => after,
                }
            }
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', after @ ..] => after,
            [b'\\', ..] => break,
            _ => return Ok(text.len() - rest.len()),
        }
    }
    Err(fault(text, text.len() - rest.len()))
}

/// Returns what is wrong with the escape that begins here.
#[cold]
fn fault(text: &[u8], start: usize) -> Fault {
    let syntax = |at| Fault { at, rule: Rule::Syntax };
    if text.get(start + 1) != Some(&b'u') {
        return syntax(start + 1);
    }
    if let Some(at) = not_a_digit(text, start + 2) {
        return syntax(at);
    }
    // All its digits are digits, so that it is a surrogate, and the other one is missing.
    let low = text.get(start + 6..).unwrap_or_default();
    let is_high = text.get(start + 3).is_some_and(|digit| HEX[usize::from(*digit)] < 0xC);
    if is_high && b"\\u".starts_with(low) {
        // The text ends where it may have been on its way.
        return syntax(text.len());
    }
    match not_a_digit(text, start + 8) {
        Some(at) if is_high && low.starts_with(b"\\u") => syntax(at),
        _ => Fault { at: start, rule: Rule::LoneSurrogate },
    }
}

/// Returns the first of four places that has no hexadecimal digit.
fn not_a_digit(text: &[u8], start: usize) -> Option<usize> {
    let is_digit = |at: &usize| text.get(*at).is_some_and(u8::is_ascii_hexdigit);
    (start..start + 4).find(|at| !is_digit(at))
}

/// What each byte is worth as a hexadecimal digit; 0xFF if it is none.
static HEX: [u8; 256] = {
    let mut table = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        table[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    table
};
