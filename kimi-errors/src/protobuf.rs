//! Just enough of the protocol buffers' wire format for error details.
//!
//! Three messages of a few strings and numbers are all that gRPC's and Kimi's Connect answers
//! hold for us. A protobuf crate brings a compiler or a derive macro for that, and another version
//! of itself into every stack; the format's rules for these fields fit a screen.
//!
//! Source: protobuf.dev, "Encoding".

use base64::{
    alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// How messages are written in heads and in JSON: base64 with or without padding. gRPC asks to read
/// both and to write none; the implementations of Connect differ.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The value of a field, as far as error details use the format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Value<'a> {
    /// A number or a boolean.
    Varint(u64),
    /// A string, bytes, or a message within the message.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// Returns the text of a string; `None` for a number or broken UTF-8.
    pub(crate) fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Returns the bytes of a string, bytes or message.
    pub(crate) fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Varint(_) => None,
        }
    }
}

/// Returns the fields of a message with their numbers, in the order of the wire.
///
/// Fixed-width fields are passed over: no error detail has one. Ends at the first byte that is not
/// protobuf; never reads past a length, never recurses.
pub(crate) fn fields(message: &[u8]) -> impl Iterator<Item = (u32, Value<'_>)> {
    let mut rest = message;
    std::iter::from_fn(move || {
        let field = next_field(&mut rest);
        if field.is_none() {
            rest = &[];
        }
        field
    })
}

/// Returns the last field of that number: as the format has it, the last one counts.
pub(crate) fn field(message: &[u8], number: u32) -> Option<Value<'_>> {
    fields(message).filter(|(own, _)| *own == number).last().map(|(_, value)| value)
}

/// Appends a field with a number.
#[cfg(any(test, feature = "http"))]
pub(crate) fn write_varint(field: u32, value: u64, out: &mut Vec<u8>) {
    write_number(u64::from(field) << 3 | VARINT, out);
    write_number(value, out);
}

/// Appends a field with a string, bytes or a message.
#[cfg(any(test, feature = "http"))]
pub(crate) fn write_bytes(field: u32, bytes: &[u8], out: &mut Vec<u8>) {
    write_number(u64::from(field) << 3 | LENGTH_DELIMITED, out);
    // A length always fits: no machine's `usize` is wider than 64 bits.
    write_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;

fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u32, Value<'a>)> {
    loop {
        let tag = read_number(rest)?;
        let field = u32::try_from(tag >> 3).ok().filter(|field| *field != 0)?;
        match tag & 7 {
            VARINT => return Some((field, Value::Varint(read_number(rest)?))),
            LENGTH_DELIMITED => {
                let length = usize::try_from(read_number(rest)?).ok()?;
                return Some((field, Value::Bytes(take(rest, length)?)));
            }
            FIXED_64 => take(rest, 8)?,
            FIXED_32 => take(rest, 4)?,
            _ => return None,
        };
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

/// Reads seven bits a byte, the lowest first, ten bytes at most. Bits past the 64th are dropped,
/// as the format has it.
fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..70).step_by(7) {
        let byte = take(rest, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(any(test, feature = "http"))]
fn write_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the format's own documentation: field 1 is 150, field 2 is "testing".
    #[test]
    fn reads_and_writes_the_documented_example() {
        let wire = b"\x08\x96\x01\x12\x07testing";
        let expected = [(1, Value::Varint(150)), (2, Value::Bytes(b"testing"))];
        assert_eq!(fields(wire).collect::<Vec<_>>(), expected);

        let mut out = Vec::new();
        write_varint(1, 150, &mut out);
        write_bytes(2, b"testing", &mut out);
        assert_eq!(out, wire);
    }

    #[test]
    fn passes_over_fixed_width_fields() {
        let wire = b"\x0d\x01\x02\x03\x04\x11\x01\x02\x03\x04\x05\x06\x07\x08\x18\x07";
        assert_eq!(fields(wire).collect::<Vec<_>>(), [(3, Value::Varint(7))]);
    }

    #[test]
    fn ends_at_what_is_not_protobuf() {
        for wire in [
            &b"\x08\x07\x00\x01\x08\x07"[..],                         // field 0
            b"\x08\x07\x0b\x08\x07",                                  // a group
            b"\x08\x07\x12\x7f\x01",                                  // a length past the end
            b"\x08\x07\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", // a length past everything
            b"\x08\x07\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", // a number of 11 bytes
            b"\x08\x07\x08",
        ] {
            assert_eq!(fields(wire).collect::<Vec<_>>(), [(1, Value::Varint(7))], "{wire:x?}");
        }
    }

    proptest! {
        #[test]
        fn prop_any_bytes_end(wire in prop::collection::vec(any::<u8>(), 0..512)) {
            prop_assert!(fields(&wire).count() <= wire.len());
        }

        #[test]
        fn prop_what_is_written_is_read(
            numbers in prop::collection::vec((1_u32..1 << 29, any::<u64>()), 0..8),
            texts in prop::collection::vec((1_u32..1 << 29, ".{0,200}"), 0..8),
        ) {
            let mut wire = Vec::new();
            for (field, number) in &numbers {
                write_varint(*field, *number, &mut wire);
            }
            for (field, text) in &texts {
                write_bytes(*field, text.as_bytes(), &mut wire);
            }
            let numbers = numbers.iter().map(|(field, number)| (*field, Value::Varint(*number)));
            let texts = texts.iter().map(|(field, text)| (*field, Value::Bytes(text.as_bytes())));
            prop_assert!(fields(&wire).eq(numbers.chain(texts)));
        }
    }
}
