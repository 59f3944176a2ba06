//! Every number that is enforced, each with its unit and its source.

/// The largest body, in bytes: 104 857 600, which is 100 MiB. Kimi's platform and kimi-free-api both
/// state it (facts, limits).
pub const MAX_BODY_BYTES: usize = 100 * 1024 * 1024;

/// How deep arrays and objects may be nested: 127 levels, as deep as `serde_json` reads, so
/// that a handler can read what we let through.
pub const MAX_DEPTH: u32 = 127;

/// The most messages in a request: 65 536. Ours: the longest context of a Kimi model has 1 048 576
/// tokens, and a message takes more than 16 with what stands around its text.
pub const MAX_MESSAGES: usize = 65_536;

/// The most parts in a message: 1 024. Ours; a conversation on Kimi's web site takes 50 files.
pub const MAX_PARTS: usize = 1_024;

/// The most violations that one answer lists: 32. Ours; the others are counted.
pub const MAX_REPORTED: usize = 32;

/// The longest model name, conversation id or tool call id, in bytes: 256. Ours: they become keys and
/// labels, which must not be as long as a body.
pub const MAX_NAME_BYTES: usize = 256;

/// The most tools in a request, and in a message, 128, and the most calls of one message. Kimi platform,
/// <https://platform.kimi.ai/docs/api/tool-use>; of the calls it is ours.
pub const MAX_TOOLS: usize = 128;

/// The most stop texts: 5. Kimi platform, <https://platform.kimi.ai/docs/api/chat>, which says of a sixth
/// «stop array too long».
pub const MAX_STOPS: usize = 5;

/// The longest stop text, in bytes: 32. Kimi platform, <https://platform.kimi.ai/docs/api/chat>.
pub const MAX_STOP_BYTES: usize = 32;

/// The most tokens to generate: 1 048 576, that of kimi-k3, more than which no model has. Kimi platform,
/// <https://platform.kimi.ai/docs/api/chat>.
pub const MAX_TOKENS: f64 = 1_048_576.0;

/// The largest file, in bytes: 104 857 600, which is 100 MiB. The article and kimi-free-api write it as
/// 100 * 1024 * 1024 (facts, limits).
#[cfg(feature = "file-url")]
pub const MAX_FILE_BYTES: u64 = 100 * 1024 * 1024;

/// The longest file URL, in bytes: 8 000. RFC 9110 §4.1 asks everybody to support as many; URLs that
/// carry signatures have up to 4 000. `data:` URLs are held to [`MAX_FILE_BYTES`] instead.
#[cfg(feature = "file-url")]
pub const MAX_URL_BYTES: usize = 8_000;

/// The most files of a request that are to be fetched: 64. Ours; a conversation on Kimi's web site takes
/// 50. `data:` URLs and `ms://`, which are not fetched, are as many as there are parts.
#[cfg(feature = "file-url")]
pub const MAX_REMOTE_FILES: usize = 64;

/// The most redirects on the way to a file: 3. Ours; browsers follow 20, and a file takes one or two.
#[cfg(feature = "probe")]
pub const MAX_REDIRECTS: u8 = 3;
