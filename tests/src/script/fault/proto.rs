//! The few protobuf bytes of a Connect error's detail.
//!
//! `common.error.v1.ErrorDetail`: field 1 is the reason as a number, field 2 the localized message,
//! whose field 1 is the locale and field 2 the text. The numbers of the reasons are not known; we
//! write 1.

/// Returns the encoded detail.
pub(super) fn error_detail(locale: &str, message: &str) -> Vec<u8> {
    let mut localized = Vec::new();
    write_bytes(1, locale.as_bytes(), &mut localized);
    write_bytes(2, message.as_bytes(), &mut localized);
    // Field 1, wire type 0 (a varint), value 1.
    let mut detail = vec![1 << 3, 1];
    write_bytes(2, &localized, &mut detail);
    detail
}

/// Appends a field of wire type 2: its length as a varint, then the bytes.
fn write_bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(field << 3 | 2);
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    out.push(length.to_le_bytes()[0]);
    out.extend_from_slice(bytes);
}
