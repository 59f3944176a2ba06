//! Chat requests and file URLs of the Kimi API, checked before any work is done.
//!
//! A request that would be refused should be refused at the door: before a token is spent, a
//! limit is charged or a stream is opened, with every fault named at once and its place in the
//! input.
//!
//! It is *not* a JSON library, which `serde_json` is; by default it does no I/O; and it does not know which model
//! takes what, such as the one temperature of kimi-k3, which changes every few months and which the
//! upstream answers for.
//!
//! # Example
//!
//! ```
//! use kimi_errors::Lang;
//! use kimi_validate::{ChatRequest, Profile, Role, Rule};
//!
//! let profile = Profile::article();
//!
//! let body = r#"{"model":"kimi","stream":true,"messages":[{"role":"user","content":"你好，世界"}]}"#;
//! let request = ChatRequest::parse(body, &profile)?;
//! assert_eq!(request.model().as_deref(), Some("kimi"));
//! assert!(request.is_stream());
//! let message = request.messages().next().unwrap();
//! assert_eq!((message.role(), &*message.preview(2)), (Role::User, "你好..."));
//! // The bytes are those that came.
//! assert_eq!(request.into_body(), body);
//!
//! let body = r#"{"stream":"yes","messages":[{"role":"bot","content":" "}]}"#;
//! let violations = ChatRequest::parse(body, &profile).unwrap_err();
//! let found: Vec<_> = violations.iter().map(|it| (it.pointer(), it.rule(), it.offset())).collect();
//! assert_eq!(
//!     found,
//!     [
//!         ("/model", Rule::Required, 0),
//!         ("/stream", Rule::Type, 10),
//!         ("/messages/0/role", Rule::OneOf, 36),
//!         ("/messages/0/content", Rule::Blank, 52),
//!     ],
//! );
//! // On the wire: the article's -1001 with 400.
//! let error = violations.into_error(Lang::En);
//! assert_eq!((error.errcode(), error.status()), (-1001, 400));
//! # Ok::<(), kimi_validate::Violations>(())
//! ```
//!
//! # Rules
//!
//! What every profile asks of a body, in the order in which it is found out. A body that breaks one of
//! the first nine has that one violation; all others are collected, and listed in the order of the
//! input.
//!
//! | [`Rule`] | asks | limit | source |
//! |---|---|---|---|
//! | `body_bytes` | the body is not too large | [100 MiB](limits::MAX_BODY_BYTES) | platform, kimi-free-api |
//! | `bom` | no byte order mark before it | | RFC 8259 §8.1 |
//! | `empty_body` | there is more than white space | | RFC 8259 §2 |
//! | `syntax` | it is one JSON text, also where nobody looks | | RFC 8259 §2 |
//! | `utf8` | it is UTF-8 | | RFC 8259 §8.1, RFC 3629 |
//! | `lone_surrogate` | each escape stands for a character | | RFC 8259 §8.2; `serde_json` |
//! | `number_overflow` | each number is one that a double holds | | RFC 8259 §6; `serde_json` |
//! | `depth` | arrays and objects are not nested too deep | [127](limits::MAX_DEPTH) | `serde_json` |
//! | `trailing_data` | nothing follows it | | RFC 8259 §2 |
//! | `duplicate_key` | a name that is judged stands once | | RFC 8259 §4 |
//! | `type`, `required`, `one_of`, … | what the tables below say | | |
//!
//! What the profiles ask of its members. *A* is the article's `validateChatParams`, *F* is
//! kimi-free-api, *P* is Kimi's [platform](https://platform.kimi.ai/docs/api/chat) with its
//! [tools](https://platform.kimi.ai/docs/api/tool-use), and *ours* is a bound that is needed though
//! nobody states it. Members that are not named here are ignored by that profile.
//!
//! | member | article | kimi-free-api | platform | source |
//! |---|---|---|---|---|
//! | `model` | required, not blank | text | required, not blank | A, P; F: `null` fails |
//! | its length | [256 bytes](limits::MAX_NAME_BYTES) | 256 bytes | 256 bytes | ours |
//! | `messages` | 1 or more objects | the same | the same | A, F, P |
//! | their number | [65 536](limits::MAX_MESSAGES) | 65 536 | 65 536 | ours |
//! | `stream` | boolean | boolean, `null` | boolean, `null` | A, P |
//! | `conversation_id` | | text, 256 bytes | text, not blank, 256 bytes, `null` | F; ours |
//! | `use_search` | | boolean, `null` | | F |
//! | `…/role` | system, user, assistant | these and tool | these and tool | A, P |
//! | `…/content` | not blank | not blank, or parts | not blank, or parts | A, F, P |
//! | parts | | text, `image_url`, file | text, `image_url`, `video_url` | F, P |
//! | their number | | 1 to [1 024](limits::MAX_PARTS) | 1 to 1 024 | ours |
//! | text of a part | | text | not empty | F, P |
//! | URL of a part | | in an object, not blank | `data:image/…`, `data:video/…` or `ms://…`, alone or in an object | F, P |
//!
//! And on the platform alone, where `null` is as good as leaving one out:
//!
//! | member | must be |
//! |---|---|
//! | `temperature`, `top_p` | a number from 0 to 1 |
//! | `n` | an integer from 1 to 5 |
//! | `presence_penalty`, `frequency_penalty` | a number from -2 to 2 |
//! | `max_tokens`, `max_completion_tokens` | an integer from 0 to [1 048 576](limits::MAX_TOKENS) |
//! | `logprobs` | a boolean |
//! | `top_logprobs` | an integer from 0 to 20, beside a true `logprobs` |
//! | `stop` | a text of [32 bytes](limits::MAX_STOP_BYTES), or [5](limits::MAX_STOPS) of them |
//! | `response_format` | an object; its `type` text, `json_object` or `json_schema`, the last with a `json_schema` of `name` and `schema` |
//! | `tools` | [128](limits::MAX_TOOLS) at most, of `type` function or `builtin_function`, with a `function` |
//! | `…/function/name` | a letter or underscore, then letters, digits, `_`, `-`, 128 at most; before it `$` may stand; each name once |
//! | `tool_choice` | auto, none, required, or the name of a function in its object |
//! | `thinking` | an object; its `type` enabled or disabled, its `keep` all |
//! | `reasoning_effort`, `prompt_cache_key`, `safety_identifier` | a text |
//! | `prediction`, `stream_options` | an object of the documented members |
//! | `…/name`, `…/reasoning_content` | a text |
//! | `…/partial` | true only in the last message, an assistant's, and not beside the format `json_object` |
//! | `…/tool_calls` | [128](limits::MAX_TOOLS) calls at most, with an `id` of 256 bytes, each once in its message, and a `function` with a `name`; the tool messages that follow answer each |
//! | `…/tool_call_id` | in a tool message, the `id` of a call of the assistant's message before |
//! | `…/tools` | as those of the request; tells kimi-k3 of more in mid-conversation |
//!
//! An assistant's message may be without content if it calls tools or is `partial`, a system's if it
//! brings `tools`.
//!
//! Of files these are only the names: feature `file-url` judges where they lead.
//!
//! Each is written down once, with its source beside it, in the tables of which the pass over a body and
//! the [JSON Schema](Profile::json_schema) are both made.
//!
//! # Cost
//!
//! One pass, of 0.5 to 10 instructions a byte, and one allocation, the list of messages, unless names
//! are written with escapes or tools are called, whose ids take a set. A conversation of 8 KiB takes 2 µs,
//! a third of what `serde_json` and a derive take; `benches/README.md` of the repository has the table,
//! with all peers.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `file-url` | `file_url`: file URLs, judged by their text; `ChatRequest::check_files` |
//! | `probe` | `probe`: the servers of files, asked for size and type through any tower HTTP client |
//! | `connect` | `connect`: a connector for `hyper-util` that dials only addresses that were judged |
//! | `reqwest` | the same for `reqwest`'s client |
//!
//! # Minimum supported Rust version
//!
//! 1.88.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod chat;
#[cfg(feature = "connect")]
pub mod connect;
#[cfg(feature = "file-url")]
pub mod file_url;
mod json;
pub mod limits;
#[cfg(feature = "probe")]
pub mod probe;
mod violation;

pub use self::{
    chat::{
        AnswerLimits, ChatRequest, Content, ContentPart, FileRef, Message, NoRoles, Part, Parts,
        Profile, Role, UnknownProfile,
    },
    json::JsonType,
    violation::{Rule, Violation, Violations},
};
