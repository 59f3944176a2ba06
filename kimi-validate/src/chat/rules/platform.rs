//! The schema of Kimi's platform.
//!
//! What it does not say is not asked for: a value is refused here only if the platform says, or is
//! known, to refuse it whatever the model. Sources: *API* is <https://platform.kimi.ai/docs/api/chat>
//! with its OpenAPI document, *tools* is <https://platform.kimi.ai/docs/api/tool-use>, and *facts* are
//! the entries of the error catalogue. What is allowed of a model only, such as one temperature, is
//! left to the platform.

use super::{CONTENT, MESSAGES, MODEL, ROLE, STREAM, pattern};
use crate::{
    chat::table::{Check, Field, Items, Note, Slot, Text},
    limits::{MAX_NAME_BYTES, MAX_PARTS, MAX_STOP_BYTES, MAX_STOPS, MAX_TOKENS, MAX_TOOLS},
};

/// `null` is taken for an optional member that is left out, since SDKs write one.
pub(crate) static REQUEST: &[Field] = &[
    // API.
    MODEL.required(),
    MESSAGES,
    STREAM.nullable(),
    // API of moonshot-v1 and kimi-k2. Later models have one value, facts `plat.fixed_param`.
    Field::new("temperature", Check::number(0.0, 1.0)).nullable(),
    Field::new("top_p", Check::number(0.0, 1.0)).nullable(),
    Field::new("n", Check::integer(1.0, 5.0)).nullable(),
    Field::new("presence_penalty", Check::number(-2.0, 2.0)).nullable(),
    Field::new("frequency_penalty", Check::number(-2.0, 2.0)).nullable(),
    // API; see `MAX_TOKENS`. Whether 0 means none or the default is the platform's to say.
    Field::new("max_tokens", Check::integer(0.0, MAX_TOKENS)).nullable(),
    Field::new("max_completion_tokens", Check::integer(0.0, MAX_TOKENS)).nullable(),
    // API; facts `plat.logprobs`.
    Field::new("logprobs", Check::Boolean).nullable().kept(Slot::Logprobs),
    Field::new("top_logprobs", Check::integer(0.0, 20.0)).nullable().kept(Slot::TopLogprobs),
    // API; facts `plat.stop`.
    Field::new("stop", Check::Either(&STOP, &STOPS)).nullable(),
    // API.
    Field::new("response_format", Check::Object(FORMAT)).nullable().kept(Slot::Format),
    Field::new("stream_options", Check::Object(STREAM_OPTIONS)).nullable(),
    Field::new("prediction", Check::Object(PREDICTION)).nullable(),
    Field::new("prompt_cache_key", ANY_TEXT).nullable(),
    Field::new("safety_identifier", ANY_TEXT).nullable(),
    // API, tools.
    Field::new("tools", Check::Array(Items { check: &TOOL, min: 0, max: MAX_TOOLS })).nullable(),
    Field::new("tool_choice", Check::Either(&CHOICE, &CHOSEN)).nullable(),
    // API of kimi-k2.5 to k2.7, which alone have it.
    Field::new("thinking", Check::Object(THINKING)).nullable(),
    // API. Which efforts there are depends on the model; another type is refused by all
    // (BerriAI/litellm#38611).
    Field::new("reasoning_effort", ANY_TEXT).nullable(),
    // Ours: the platform knows none, and a layer that keeps conversations apart must.
    Field::new("conversation_id", ID).nullable().kept(Slot::ConversationId),
];

pub(crate) static MESSAGE: &[Field] = &[
    // API. The role `developer` is refused (openclaw/openclaw#8579, earendil-works/pi#8109).
    ROLE,
    CONTENT,
    Field::new("name", ANY_TEXT).nullable(),
    Field::new("partial", Check::Boolean).nullable().kept(Slot::Partial),
    Field::new("reasoning_content", ANY_TEXT).nullable(),
    // tools; facts `plat.tool_call_id`.
    Field::new("tool_calls", Check::Array(Items { check: &CALL, min: 0, max: MAX_TOOLS }))
        .nullable()
        .kept(Slot::ToolCalls),
    Field::new("tool_call_id", ID).nullable().kept(Slot::ToolCallId),
    // API: tools that kimi-k3 is told of in mid-conversation, by a system message.
    Field::new("tools", Check::Array(Items { check: &LATER_TOOL, min: 0, max: MAX_TOOLS }))
        .nullable()
        .kept(Slot::Tools),
];

/// The members of all parts. Each is judged wherever it stands; the part's type says which of them
/// must be there. API; an empty text is «text content is empty» (facts `plat.empty_message`,
/// MoonshotAI/kimi-cli#2035), and an address with `http` is refused (facts `plat.image`).
pub(crate) static PART: &[Field] = &[
    Field::new("type", Check::PartType).required().kept(Slot::Type),
    Field::new("text", Check::Text(Text::ANY.with_pattern(&pattern::NOT_EMPTY))),
    Field::new("image_url", Check::Either(&IMAGE, &IMAGE_OBJECT)),
    Field::new("video_url", Check::Either(&VIDEO, &VIDEO_OBJECT)),
    Field::new("file_url", Check::Object(FILE)),
];

const ANY_TEXT: Check = Check::Text(Text::ANY);

/// Their length is ours.
const ID: Check = Check::Text(Text::NOT_BLANK.with_max_bytes(MAX_NAME_BYTES));

static STOP: Check = Check::Text(Text::ANY.with_max_bytes(MAX_STOP_BYTES));
static STOPS: Check = Check::Array(Items { check: &STOP, min: 0, max: MAX_STOPS });

/// API: `text` if no type is given; a schema must be there for `json_schema`, which `judge_format`
/// sees to.
static FORMAT: &[Field] = &[
    Field::new("type", Check::OneOf(FORMATS)).kept(Slot::Type),
    Field::new("json_schema", Check::Object(SCHEMA)).nullable().kept(Slot::Schema),
];
pub(crate) const FORMATS: &[&str] = &["text", "json_object", "json_schema"];
static SCHEMA: &[Field] = &[
    Field::new("name", ANY_TEXT).required(),
    Field::new("schema", Check::Object(&[])).required(),
    Field::new("strict", Check::Boolean).nullable(),
];

static STREAM_OPTIONS: &[Field] = &[Field::new("include_usage", Check::Boolean).nullable()];

/// API: a text, or parts.
static PREDICTION: &[Field] = &[
    Field::new("type", Check::OneOf(&["content"])).nullable(),
    Field::new("content", Check::Either(&PREDICTED, &PREDICTED_PARTS)).nullable(),
];
static PREDICTED: Check = ANY_TEXT;
static PREDICTED_PARTS: Check =
    Check::Array(Items { check: &Check::Object(&[]), min: 0, max: MAX_PARTS });

/// The type `builtin_function` is that of `$web_search`:
/// <https://platform.kimi.ai/docs/guide/use-web-search>.
const TOOL_TYPES: Check = Check::OneOf(&["function", "builtin_function"]);

static TOOL: Check = Check::Object(&[
    Field::new("type", TOOL_TYPES).required(),
    Field::new("function", Check::Object(&FUNCTION)).required(),
]);
/// Each name once: facts `plat.func_name`, «is duplicated».
static FUNCTION: [Field; 4] = function(FUNCTION_NAME.noted(Note::FunctionName));

/// Whether a name that the request has may come again in a message is the platform's to say.
static LATER_TOOL: Check = Check::Object(&[
    Field::new("type", TOOL_TYPES).required(),
    Field::new("function", Check::Object(&LATER_FUNCTION)).required(),
]);
static LATER_FUNCTION: [Field; 4] = function(FUNCTION_NAME);

/// Tools. `parameters` must be there, it says, but not of a built-in function.
const fn function(name: Text) -> [Field; 4] {
    [
        Field::new("name", Check::Text(name)).required(),
        Field::new("description", ANY_TEXT).nullable(),
        Field::new("parameters", Check::Object(&[])).nullable(),
        Field::new("strict", Check::Boolean).nullable(),
    ]
}

/// Facts `plat.func_name`.
const FUNCTION_NAME: Text = Text::ANY.with_pattern(&pattern::FUNCTION_NAME);

/// API. Which model takes which of them while it thinks is the platform's to say
/// (facts `plat.tool_choice`).
static CHOICE: Check = Check::OneOf(&["auto", "none", "required"]);
static CHOSEN: Check = Check::Object(&[
    Field::new("type", Check::OneOf(&["function"])).required(),
    Field::new("function", Check::Object(CHOSEN_FUNCTION)).required(),
]);
static CHOSEN_FUNCTION: &[Field] = &[Field::new("name", Check::Text(FUNCTION_NAME)).required()];

static THINKING: &[Field] = &[
    Field::new("type", Check::OneOf(&["enabled", "disabled"])).required(),
    Field::new("keep", Check::OneOf(&["all"])).nullable(),
];

/// API, as the platform itself writes them. The id is what an answer names.
static CALL: Check = Check::Object(&[
    Field::new(
        "id",
        Check::Text(Text::NOT_BLANK.with_max_bytes(MAX_NAME_BYTES).noted(Note::CallId)),
    )
    .required(),
    Field::new("function", Check::Object(CALLED)).required(),
    Field::new("type", TOOL_TYPES).nullable(),
]);
static CALLED: &[Field] = &[
    Field::new("name", Check::Text(Text::NOT_BLANK)).required(),
    Field::new("arguments", ANY_TEXT).nullable(),
];

static IMAGE: Check = Check::Text(Text::NOT_BLANK.with_pattern(&pattern::IMAGE_URL));
static IMAGE_OBJECT: Check = Check::Object(&[Field::new("url", IMAGE).required()]);
static VIDEO: Check = Check::Text(Text::NOT_BLANK.with_pattern(&pattern::VIDEO_URL));
static VIDEO_OBJECT: Check = Check::Object(&[Field::new("url", VIDEO).required()]);
static FILE: &[Field] = &[Field::new("url", Check::Text(Text::NOT_BLANK)).required()];
