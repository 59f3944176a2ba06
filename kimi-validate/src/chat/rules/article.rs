//! The article's `validateChatParams`, the later and stricter of its two checks. The earlier,
//! `validateRequestParams`, has no `system` and takes whatever is truthy for a content.

use super::{CONTENT, MESSAGES, MODEL, ROLE, STREAM};
use crate::chat::table::Field;

pub(crate) static REQUEST: &[Field] = &[MODEL.required(), MESSAGES, STREAM];

pub(crate) static MESSAGE: &[Field] = &[ROLE, CONTENT];
