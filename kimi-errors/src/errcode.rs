//! The error codes of the article, under the names that kimi-free-api gives them.
//!
//! They are the `errcode` of [`Envelope`](crate::Envelope) and the `code` of kimi-free-api's
//! own answers. `EXECEEDS` is misspelt in every repository that has the constant, so it is here.

macro_rules! errcodes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)+) => {
        $($(#[$doc])* pub const $name: i32 = $code;)+

        /// Every code with its constant's name, from -1000 downwards, -9999 last.
        pub const ALL: &[(i32, &str)] = &[$(($name, stringify!($name)),)+];
    };
}

errcodes! {
    /// The system failed: 系统异常. HTTP 500.
    SYSTEM_ERROR = -1000;
    /// The request does not fit the interface: 请求参数校验错误. HTTP 400.
    SYSTEM_REQUEST_VALIDATION_ERROR = -1001;
    /// No route has this path and method: 无匹配的路由. HTTP 404.
    SYSTEM_NOT_ROUTE_MATCHING = -1002;
    /// A parameter is not acceptable: 请求参数非法. HTTP 400.
    API_REQUEST_PARAMS_INVALID = -2000;
    /// The request to the upstream failed: 请求失败. HTTP 500.
    API_REQUEST_FAILED = -2001;
    /// The token is no longer valid: Token已失效. HTTP 401.
    API_TOKEN_EXPIRES = -2002;
    /// The remote file's URL is not acceptable: 远程文件URL非法. HTTP 400.
    API_FILE_URL_INVALID = -2003;
    /// The remote file is too large: 远程文件超出大小. HTTP 413.
    API_FILE_EXECEEDS_SIZE = -2004;
    /// A stream is already running in this conversation: 已有对话流正在输出. HTTP 429.
    API_CHAT_STREAM_PUSHING = -2005;
    /// The quota of the research edition is used up: 探索版使用量已达到上限. HTTP 429.
    API_RESEARCH_EXCEEDS_LIMIT = -2006;
    /// Thrown by tests of the API: API异常错误. HTTP 500.
    API_TEST = -9999;
}

/// Returns the constant's name of a code, such as `API_TOKEN_EXPIRES` for -2002.
#[must_use]
pub fn name(code: i32) -> Option<&'static str> {
    ALL.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}
