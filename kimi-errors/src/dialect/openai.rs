//! The form of the Kimi platform and of OpenAI:
//! `{"error":{"message":"…","type":"invalid_authentication_error","param":null,"code":"token_expired"}}`.
//!
//! `type` is the platform's string for the kind, `code` the kind's [name](crate::ErrorKind::name).

use std::io::Write as _;

use super::write_str;
use crate::Error;

pub(crate) fn write(error: &Error, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"error\":");
    write_object(error, false, out);
    out.push(b'}');
}

/// Appends the body as the data of a server-sent event.
pub(super) fn write_frame(error: &Error, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"error\":");
    write_object(error, true, out);
    out.push(b'}');
}

/// Appends the error object. In a frame it also holds what a head would: the request id, and the
/// errcode where the kind does not tell it.
pub(super) fn write_object(error: &Error, in_frame: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"message\":");
    write_str(error.message(), out);
    out.extend_from_slice(b",\"type\":");
    write_str(error.kind().platform_type(), out);
    out.extend_from_slice(b",\"param\":");
    match error.param() {
        Some(param) => write_str(param, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"code\":");
    write_str(error.kind().name(), out);
    if in_frame {
        if let Some(errcode) = error.overrides().errcode {
            // Writing into a vector cannot fail.
            let _ = write!(out, ",\"errcode\":{errcode}");
        }
        if let Some(request_id) = error.request_id() {
            out.extend_from_slice(b",\"request_id\":");
            write_str(request_id, out);
        }
    }
    out.push(b'}');
}
