//! What kimi-free-api takes: `src/api/routes/chat.ts` and `src/api/controllers/chat.ts` at `5c114bf`,
//! and where they ask for nothing, the types of the interface that its README says it has, OpenAI's.

use super::{CONTENT, MESSAGES, ROLE, STREAM};
use crate::{
    chat::table::{Check, Field, Slot, Text},
    limits::MAX_NAME_BYTES,
};

pub(crate) static REQUEST: &[Field] = &[
    MESSAGES,
    // `kimi` if it is left out. It only chooses between abilities, so that an empty one does no harm;
    // `null` has no `indexOf` and fails.
    Field::new("model", Check::Text(Text::ANY.with_max_bytes(MAX_NAME_BYTES))).kept(Slot::Model),
    STREAM.nullable(),
    // Left out or a text, `null` is neither (facts `free.params`). Its length is ours.
    Field::new("conversation_id", Check::Text(Text::ANY.with_max_bytes(MAX_NAME_BYTES)))
        .kept(Slot::ConversationId),
    Field::new("use_search", Check::Boolean).nullable(),
];

pub(crate) static MESSAGE: &[Field] = &[ROLE, CONTENT];

/// The members of all parts. Each is judged wherever it stands; the part's type says which of them
/// must be there. kimi-free-api leaves out, silently, a part of another type or form: who sends one
/// would have the answer to another question. A text may be empty, as it often is beside an image.
pub(crate) static PART: &[Field] = &[
    Field::new("type", Check::PartType).required().kept(Slot::Type),
    Field::new("text", Check::Text(Text::ANY)),
    Field::new("image_url", Check::Object(URL)),
    Field::new("video_url", Check::Object(URL)),
    Field::new("file_url", Check::Object(URL)),
];

/// `axios.head` of nothing fails; which addresses are well formed is not judged here.
static URL: &[Field] = &[Field::new("url", Check::Text(Text::NOT_BLANK)).required()];
