//! The one catalogue: a row for each kind. A kind without all its columns does not compile.

use super::{Fault, GrpcCode};
use crate::{Lang, RetryAdvice, errcode};

macro_rules! catalogue {
    ($(
        $(#[$doc:meta])*
        $kind:ident $name:literal $errcode:ident $status:literal $type:literal $grpc:ident
            $advice:ident $fault:ident
            $zh:literal $en:literal,
    )+) => {
        /// What went wrong, as far as a caller would act on it differently.
        ///
        /// Branch on this, never on a message. Kinds are grouped by whose turn it is to act
        /// ([`ErrorKind::fault`]): the caller, the session, the quota, the upstream, us.
        ///
        /// A kind for which the article has no errcode borrows the one with which *a client that
        /// follows only the article does the right thing*: it retries -1000 and -2001, refreshes
        /// its token on -2002, queues on -2005, and gives up on the rest.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// Returns the stable name in snake case, such as `stream_busy`: for logs, metric
            /// labels and the `code` of the OpenAI dialect.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// Returns the `errcode` of the article that this kind is answered with.
            #[must_use]
            pub const fn errcode(self) -> i32 {
                match self { $(Self::$kind => errcode::$errcode,)+ }
            }

            /// Returns the name of the [`errcode`](Self::errcode)'s constant.
            #[must_use]
            pub const fn constant(self) -> &'static str {
                match self { $(Self::$kind => stringify!($errcode),)+ }
            }

            /// Returns the HTTP status that this kind is answered with, 400 to 599.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)+ }
            }

            /// Returns the `type` of the Kimi platform's error object, such as
            /// `rate_limit_reached_error`.
            #[must_use]
            pub const fn platform_type(self) -> &'static str {
                match self { $(Self::$kind => $type,)+ }
            }

            /// Returns the gRPC status code that this kind is answered with.
            #[must_use]
            pub const fn grpc_code(self) -> GrpcCode {
                match self { $(Self::$kind => GrpcCode::$grpc,)+ }
            }

            /// Returns the advice for this kind as long as no server named a time.
            #[must_use]
            pub const fn advice(self) -> RetryAdvice {
                match self { $(Self::$kind => RetryAdvice::$advice,)+ }
            }

            /// Returns whose turn it is to act.
            #[must_use]
            pub const fn fault(self) -> Fault {
                match self { $(Self::$kind => Fault::$fault,)+ }
            }

            /// Returns the public message. The Chinese ones of the article's codes are its texts,
            /// to the letter.
            #[must_use]
            pub const fn message(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$kind, Lang::Zh) => $zh, (Self::$kind, Lang::En) => $en,)+
                }
            }
        }
    };
}

catalogue! {
    // The caller's.

    /// The request does not fit the interface: malformed JSON, a missing or mistyped field.
    Validation "validation" SYSTEM_REQUEST_VALIDATION_ERROR 400 "invalid_request_error" InvalidArgument
        NEVER Caller
        "请求参数校验错误" "request validation failed",
    /// The request is well formed and a parameter is not acceptable.
    ParamsInvalid "params_invalid" API_REQUEST_PARAMS_INVALID 400 "invalid_request_error" InvalidArgument
        NEVER Caller
        "请求参数非法" "request parameter not acceptable",
    /// The body is well-formed JSON that does not fit the handler's type.
    Unprocessable "unprocessable" SYSTEM_REQUEST_VALIDATION_ERROR 422 "invalid_request_error" InvalidArgument
        NEVER Caller
        "请求内容无法处理" "request content cannot be processed",
    /// No route has this path.
    RouteNotFound "route_not_found" SYSTEM_NOT_ROUTE_MATCHING 404 "url.not_found" Unimplemented
        NEVER Caller
        "无匹配的路由" "no matching route",
    /// The path exists, the method does not; the answer carries `Allow`.
    MethodNotAllowed "method_not_allowed" SYSTEM_NOT_ROUTE_MATCHING 405 "invalid_request_error" Unimplemented
        NEVER Caller
        "请求方法不被允许" "method not allowed",
    /// The content type is not one that the route reads.
    UnsupportedMediaType "unsupported_media_type" SYSTEM_REQUEST_VALIDATION_ERROR 415 "invalid_request_error" InvalidArgument
        NEVER Caller
        "不支持的内容类型，请使用 application/json" "unsupported content type, send application/json",
    /// The request body, or what it carries, is larger than the limit.
    PayloadTooLarge "payload_too_large" SYSTEM_REQUEST_VALIDATION_ERROR 413 "invalid_request_error" OutOfRange
        NEVER Caller
        "请求体过大" "request too large",
    /// The URL of a remote file is malformed, forbidden, of a wrong type or not reachable.
    FileUrlInvalid "file_url_invalid" API_FILE_URL_INVALID 400 "invalid_request_error" InvalidArgument
        NEVER Caller
        "远程文件URL非法" "remote file URL not acceptable",
    /// The remote file is larger than the limit, commonly 100 MB.
    FileTooLarge "file_too_large" API_FILE_EXECEEDS_SIZE 413 "invalid_request_error" OutOfRange
        NEVER Caller
        "远程文件超出大小" "remote file too large",
    /// A model, conversation, file or other resource does not exist, or is hidden.
    NotFound "not_found" API_REQUEST_PARAMS_INVALID 404 "resource_not_found_error" NotFound
        NEVER Caller
        "请求的资源不存在" "no such resource",
    /// The request contradicts the state of the resource; read it again before changing it.
    Conflict "conflict" API_REQUEST_PARAMS_INVALID 409 "conflict_error" Aborted
        NEVER Caller
        "与资源当前状态冲突" "conflicts with the state of the resource",
    /// The conversation does not fit the model's context window.
    ContextLength "context_length" API_REQUEST_PARAMS_INVALID 400 "context_length_exceeded" InvalidArgument
        NEVER Caller
        "超出模型上下文长度" "the request exceeds the model's context window",
    /// The answer ran into the limit of one generation.
    LengthLimit "length_limit" API_REQUEST_PARAMS_INVALID 400 "length" OutOfRange
        NEVER Caller
        "已达到单次生成上限" "the generation limit is reached",
    /// Content moderation refused the request or stopped the answer.
    ContentFiltered "content_filtered" API_REQUEST_PARAMS_INVALID 400 "content_filter" FailedPrecondition
        NEVER Caller
        "内容由于合规问题已被阻止" "blocked by the content policy",
    /// No credential, a wrong one, or one of another platform; a refresh does not help.
    InvalidCredentials "invalid_credentials" API_REQUEST_PARAMS_INVALID 401 "incorrect_api_key_error" Unauthenticated
        NEVER Caller
        "鉴权失败，请检查 API Key" "authentication failed, check the API key",
    /// The caller is known and may not do this.
    PermissionDenied "permission_denied" API_REQUEST_PARAMS_INVALID 403 "permission_denied_error" PermissionDenied
        NEVER Caller
        "没有访问权限" "permission denied",
    /// The caller gave up before the answer was complete.
    Cancelled "cancelled" API_REQUEST_PARAMS_INVALID 499 "client_closed_request" Cancelled
        NEVER Caller
        "请求已被取消" "the request was cancelled",

    // The session's.

    /// The token has expired or was revoked; a fresh one helps.
    TokenExpired "token_expired" API_TOKEN_EXPIRES 401 "invalid_authentication_error" Unauthenticated
        AFTER_REFRESH Session
        "Token已失效" "the token is no longer valid",
    /// A stream is already running in this conversation.
    StreamBusy "stream_busy" API_CHAT_STREAM_PUSHING 429 "chat.user_stream_pushing" Aborted
        AFTER_STREAM Session
        "已有对话流正在输出" "a stream is already running in this conversation",

    // The quota's.

    /// Too many requests or tokens in a window of about a minute.
    RateLimited "rate_limited" API_REQUEST_FAILED 429 "rate_limit_reached_error" ResourceExhausted
        BACKOFF Quota
        "请求过于频繁，请稍后重试" "too many requests, retry later",
    /// Too many requests at the same time.
    ConcurrencyLimited "concurrency_limited" API_REQUEST_FAILED 429 "rate_limit_reached_error" ResourceExhausted
        BACKOFF Quota
        "并发请求过多，请等待进行中的请求结束" "too many concurrent requests, wait for one to end",
    /// A quota that refills by itself is used up: a day's tokens, a period's usage.
    UsageLimited "usage_limited" API_RESEARCH_EXCEEDS_LIMIT 429 "rate_limit_reached_error" ResourceExhausted
        AFTER_RESET Quota
        "使用量已达到上限，请等待额度重置" "usage limit reached, wait for the reset",
    /// The quota of the research edition is used up.
    ResearchLimit "research_limit" API_RESEARCH_EXCEEDS_LIMIT 429 "rate_limit_reached_error" ResourceExhausted
        AFTER_RESET Quota
        "探索版使用量已达到上限" "the research quota is used up",
    /// The balance is used up or the account is suspended; only paying or deleting helps.
    QuotaExhausted "quota_exhausted" API_RESEARCH_EXCEEDS_LIMIT 429 "exceeded_current_quota_error" ResourceExhausted
        NEVER Quota
        "额度已用尽，请检查账户余额" "quota exhausted, check the account's balance",

    // The upstream's.

    /// The request to the upstream failed.
    RequestFailed "request_failed" API_REQUEST_FAILED 500 "server_error" Unavailable
        BACKOFF Upstream
        "请求失败" "the upstream request failed",
    /// The upstream broke the connection or answered something that is not an answer.
    BadGateway "bad_gateway" API_REQUEST_FAILED 502 "server_error" Unavailable
        BACKOFF Upstream
        "上游响应异常" "the upstream's answer is not usable",
    /// The model's engine has too much to do; topping up does not help.
    Overloaded "overloaded" API_REQUEST_FAILED 429 "engine_overloaded_error" ResourceExhausted
        BACKOFF Upstream
        "服务过载，请稍后重试" "the engine is overloaded, retry later",
    /// The service cannot answer now.
    Unavailable "unavailable" API_REQUEST_FAILED 503 "server_unavailable" Unavailable
        BACKOFF Upstream
        "服务暂不可用，请稍后重试" "service unavailable, retry later",
    /// No answer came in time.
    Timeout "timeout" API_REQUEST_FAILED 504 "timeout" DeadlineExceeded
        BACKOFF Upstream
        "请求超时" "the request timed out",
    /// The stream ended before its end marker; what came so far is not an answer.
    StreamTruncated "stream_truncated" API_REQUEST_FAILED 502 "stream_truncated" DataLoss
        BACKOFF Upstream
        "流式输出中断" "the stream ended early",

    // Ours.

    /// An error that nothing is known about, or that nobody outside should read about.
    System "system" SYSTEM_ERROR 500 "server_error" Internal
        BACKOFF Us
        "系统异常，请稍后重试" "system error, retry later",
    /// The operation is not implemented.
    NotImplemented "not_implemented" SYSTEM_NOT_ROUTE_MATCHING 501 "server_error" Unimplemented
        NEVER Us
        "该功能未实现" "not implemented",
    /// A test of the API threw.
    Test "test" API_TEST 500 "server_error" Unknown
        NEVER Us
        "API异常错误" "API test error",
}
