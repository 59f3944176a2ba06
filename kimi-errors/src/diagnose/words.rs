//! The words around the catalogue's own: titles, headings and advice, in both languages.

use crate::{Lang, RetryAdvice, wait::http_date};

/// Every fixed word of the texts and drawings.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) subtitle: &'static str,
    pub(super) http_status: &'static str,
    pub(super) errcode: &'static str,
    pub(super) kind: &'static str,
    pub(super) constant: &'static str,
    pub(super) platform_type: &'static str,
    pub(super) grpc: &'static str,
    pub(super) message: &'static str,
    /// What the kind's own message says, where a server's says something else.
    pub(super) meaning: &'static str,
    pub(super) action: &'static str,
    pub(super) advice: &'static str,
    pub(super) fault: &'static str,
    pub(super) causes: &'static str,
    pub(super) remedies: &'static str,
    pub(super) request_id: &'static str,
    /// The answer holds no error.
    pub(super) success: &'static str,
    /// What a successful body looks like to somebody who reads only its errcode.
    pub(super) no_errcode: &'static str,
    /// Where to go on from a 200 that holds an error.
    pub(super) error_in_200: &'static str,
    /// The form that answers so.
    pub(super) error_in_200_reason: &'static str,
    pub(super) persists: &'static str,
    pub(super) escalate: &'static str,
    /// What bold print means.
    pub(super) own_errcode: &'static str,
    /// What stands between a heading and what it announces.
    pub(super) colon: &'static str,
}

const ZH: Words = Words {
    title: "错误处理决策树",
    subtitle: "从左到右：先看 HTTP 状态码，再看 errcode，确定错误类型，然后按对应的方法处理",
    http_status: "HTTP 状态码",
    errcode: "errcode",
    kind: "错误类型",
    constant: "常量",
    platform_type: "平台 type",
    grpc: "gRPC 状态码",
    message: "消息",
    meaning: "含义",
    action: "怎么做",
    advice: "重试建议",
    fault: "由谁处理",
    causes: "原因",
    remedies: "处理",
    request_id: "请求 id",
    success: "成功：没有错误",
    no_errcode: "0 / 无",
    error_in_200: "状态码不说明问题，按 errcode 继续",
    error_in_200_reason: "kimi-free-api 总是用 HTTP 200 返回错误",
    persists: "仍未解决",
    escalate: "保留状态码、响应体、请求 id、时间与重试次数，收集详细日志并寻求技术支持",
    own_errcode: "粗体的类型拥有自己的 errcode；其余类型借用，使只认识这些码的客户端也能正确处理。",
    colon: "：",
};

const EN: Words = Words {
    title: "Error decision tree",
    subtitle: "From left to right: the HTTP status, then the errcode, which give the kind, \
               then what to do about it",
    http_status: "HTTP status",
    errcode: "errcode",
    kind: "Kind",
    constant: "Constant",
    platform_type: "Platform type",
    grpc: "gRPC code",
    message: "Message",
    meaning: "Meaning",
    action: "What to do",
    advice: "Advice",
    fault: "Whose turn",
    causes: "Causes",
    remedies: "Remedies",
    request_id: "Request id",
    success: "success: no error",
    no_errcode: "0 / none",
    error_in_200: "the status says nothing, go on by errcode",
    error_in_200_reason: "kimi-free-api answers every error with HTTP 200",
    persists: "If it persists",
    escalate: "keep the status, the body, the request id, the time and the number of attempts, \
               collect detailed logs and ask for support",
    own_errcode: "A bold kind owns its errcode; the others borrow one, so that a client that knows \
                  only those codes does the right thing.",
    colon: ": ",
};

pub(super) const fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::Zh => &ZH,
        Lang::En => &EN,
    }
}

/// Returns the advice in a few words, without its time.
pub(super) const fn advice(advice: RetryAdvice, lang: Lang) -> &'static str {
    match (advice, lang) {
        (RetryAdvice::Never, Lang::Zh) => "不要原样重试",
        (RetryAdvice::Never, Lang::En) => "do not retry unchanged",
        (RetryAdvice::Backoff { .. }, Lang::Zh) => "退避后重试",
        (RetryAdvice::Backoff { .. }, Lang::En) => "retry with backoff",
        (RetryAdvice::AfterRefresh, Lang::Zh) => "刷新 token 后重试",
        (RetryAdvice::AfterRefresh, Lang::En) => "retry after a token refresh",
        (RetryAdvice::AfterStream, Lang::Zh) => "当前流结束后重试",
        (RetryAdvice::AfterStream, Lang::En) => "retry after the running stream",
        (RetryAdvice::AfterReset { .. }, Lang::Zh) => "额度重置后重试",
        (RetryAdvice::AfterReset { .. }, Lang::En) => "retry after the quota resets",
    }
}

/// Returns the advice with its time, if one is known: `retry with backoff, after 1.5 s at least`.
pub(super) fn advice_in_full(given: RetryAdvice, lang: Lang) -> String {
    let label = advice(given, lang);
    match (given, lang) {
        (RetryAdvice::Backoff { after: Some(after) }, Lang::Zh) => {
            format!("{label}，至少等待 {} 秒", after.as_secs_f64())
        }
        (RetryAdvice::Backoff { after: Some(after) }, Lang::En) => {
            format!("{label}, after {} s at least", after.as_secs_f64())
        }
        (RetryAdvice::AfterReset { at: Some(at) }, Lang::Zh) => match http_date(at) {
            Some(date) => format!("{label}，重置时间 {date}"),
            None => label.to_owned(),
        },
        (RetryAdvice::AfterReset { at: Some(at) }, Lang::En) => match http_date(at) {
            Some(date) => format!("{label}, {date}"),
            None => label.to_owned(),
        },
        _ => label.to_owned(),
    }
}
