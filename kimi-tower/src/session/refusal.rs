use std::time::Duration;

use http::Extensions;
use kimi_errors::{Error, ErrorKind, Lang, RetryAdvice};

use super::store::Refused;
use crate::facts::{Facts, SessionDecision};

/// The error of a request that is not let through.
#[cold]
pub(super) fn refusal(
    extensions: &Extensions,
    refused: Refused,
    waited: Duration,
    lang: Lang,
) -> Error {
    tracing::debug!(reason = refused.as_str(), ?waited, "a session gives no turn");
    Facts::tell_session(extensions, SessionDecision::Refused { reason: refused, waited });
    let error = |kind| Error::new(kind).with_lang(lang);
    let said = |kind, zh: &'static str, en: &'static str| {
        error(kind).with_message(if lang == Lang::En { en } else { zh })
    };
    match refused {
        Refused::Busy => error(ErrorKind::StreamBusy),
        Refused::TooLate => said(
            ErrorKind::StreamBusy,
            "已有对话流正在输出，排队等待超时",
            "a stream is already running in this conversation, and has not ended in time",
        ),
        Refused::Superseded => said(
            ErrorKind::Cancelled,
            "该对话有了新的请求，本次请求已取消",
            "a newer request of this conversation has taken the place of this one",
        )
        .with_advice(RetryAdvice::Never),
        Refused::TooManySessions => said(
            ErrorKind::Overloaded,
            "进行中的对话过多，请稍后重试",
            "too many conversations are under way, retry later",
        ),
        Refused::Nested => said(
            ErrorKind::StreamBusy,
            "同一对话的请求互相嵌套，内层请求无法等到外层结束",
            "a request of this conversation was sent from within another, and would wait for itself",
        )
        .with_advice(RetryAdvice::Never),
        Refused::Unavailable => said(
            ErrorKind::Unavailable,
            "对话排队服务暂时不可用，请稍后重试",
            "turns of conversations cannot be given for the moment, retry later",
        ),
    }
}
