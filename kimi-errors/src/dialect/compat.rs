//! The form that the article's clients and the OpenAI SDKs both understand:
//! `{"errcode":-2002,"errmsg":"Token已失效","data":null,"error":{"message":…,"type":…,"param":null,"code":…}}`.

use super::{errcode, openai};
use crate::Error;

pub(crate) fn write(error: &Error, out: &mut Vec<u8>) {
    write_both(error, false, out);
}

/// Appends the body as the data of a server-sent event.
pub(super) fn write_frame(error: &Error, out: &mut Vec<u8>) {
    write_both(error, true, out);
}

fn write_both(error: &Error, in_frame: bool, out: &mut Vec<u8>) {
    errcode::write_members(error, out);
    out.extend_from_slice(b",\"error\":");
    openai::write_object(error, in_frame, out);
    out.push(b'}');
}
