//! Looking at many bytes at once, in plain arithmetic that compilers turn into vector code.
//!
//! A byte is plain if the string goes on after it as it is: neither a quote, nor a backslash, nor a
//! control character. There are three ways to look for the first that is not, by how far it is
//! likely to be: words, chunks, blocks. What is kept apart and what is inlined was measured.

use memchr::memchr2;

const WORD: usize = 8;

/// A vector of the size that every machine has.
const CHUNK: usize = 16;

const HIGH: u64 = repeat(0x80);

/// What is at the beginning of a piece of text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Seen {
    /// How many plain bytes there are before the first that is not.
    pub(super) plain: usize,
    /// Whether one of them is not ASCII.
    pub(super) is_high: bool,
}

impl Seen {
    /// Returns what is seen with so many plain bytes before it, of which `high` has the highest bits.
    #[inline(always)]
    fn after(self, plain: usize, high: u128) -> Self {
        let is_high = high & u128::from_ne_bytes([0x80; CHUNK]) != 0;
        Self { plain: plain + self.plain, is_high: self.is_high | is_high }
    }
}

/// Goes over plain bytes to the first that is not, or to the end.
#[inline(never)]
pub(super) fn plain_bytes(bytes: &[u8]) -> Seen {
    let (chunks, rest) = bytes.as_chunks::<CHUNK>();
    let mut plain = 0;
    let mut high = 0;
    for chunk in chunks {
        if has_stop(chunk) {
            return plain_words(chunk).after(plain, high);
        }
        plain += CHUNK;
        high |= u128::from_ne_bytes(*chunk);
    }
    plain_words(rest).after(plain, high)
}

/// The same, where few are likely to be plain.
#[inline(always)]
pub(super) fn plain_words(bytes: &[u8]) -> Seen {
    let (words, rest) = bytes.as_chunks::<WORD>();
    let mut high = 0;
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let stops = stops(word);
        if stops != 0 {
            let before = stops.wrapping_sub(1) & !stops;
            let plain = index * WORD + stops.trailing_zeros() as usize / 8;
            return Seen { plain, is_high: (high | word & before) & HIGH != 0 };
        }
        high |= word;
    }
    let mut seen = Seen { plain: words.len() * WORD, is_high: high & HIGH != 0 };
    for byte in rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        seen.plain += 1;
        seen.is_high |= !byte.is_ascii();
    }
    seen
}

/// Returns a number in which the lowest bit set is the highest of the first byte that is not plain;
/// zero if all are.
#[inline(always)]
fn stops(word: u64) -> u64 {
    // `^ 2` takes the quote to 0x20 and leaves control characters among themselves, below. The
    // subtraction borrows from a byte that is small, which spoils only bytes after such a one.
    let quote = (word ^ repeat(0x02)).wrapping_sub(repeat(0x21));
    let backslash = (word ^ repeat(b'\\')).wrapping_sub(repeat(0x01));
    (quote | backslash) & !word & HIGH
}

/// The same, where many are likely to be plain: it costs more to begin and less to go on.
#[inline(never)]
pub(super) fn plain_block(bytes: &[u8]) -> Seen {
    let end = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
    let run = bytes.get(..end).unwrap_or(bytes);
    let (least, high) =
        run.iter().fold((u8::MAX, 0), |(least, high), byte| (least.min(*byte), high | byte));
    if least < 0x20 {
        return plain_bytes(run);
    }
    Seen { plain: end, is_high: high > 0x7F }
}

/// Returns whether a byte is not plain.
#[inline(always)]
fn has_stop(chunk: &[u8; CHUNK]) -> bool {
    // No early way out, so that all are looked at at once.
    chunk.iter().fold(false, |has_stop, byte| has_stop | ((byte ^ 0x02) < 0x21) | (*byte == b'\\'))
}

const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; WORD])
}
