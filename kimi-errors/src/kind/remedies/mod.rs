//! Causes and remedies: a row for each kind, each item in both languages.
//!
//! Items are phrases: no full stop, no markup, so that a terminal, a table and a drawing can all
//! show them. The first remedy is the one to try first, and short enough for the drawing.

mod caller;
mod quota;
mod request;
mod session;
mod upstream;
mod us;

use super::ErrorKind;
use crate::Lang;

/// The row of a kind.
struct Guide {
    causes: Items,
    remedies: Items,
}

/// The same items, in the same order, in both languages.
struct Items {
    zh: &'static [&'static str],
    en: &'static [&'static str],
}

impl Items {
    const fn in_lang(&self, lang: Lang) -> &'static [&'static str] {
        match lang {
            Lang::Zh => self.zh,
            Lang::En => self.en,
        }
    }
}

/// Writes rows down item by item, Chinese beside English, so that neither can lack one.
macro_rules! guides {
    ($($name:ident {
        cause: $($cause_zh:literal $cause_en:literal,)+
        remedy: $($remedy_zh:literal $remedy_en:literal,)+
    })+) => {
        $(pub(super) const $name: super::Guide = super::Guide {
            causes: super::Items { zh: &[$($cause_zh,)+], en: &[$($cause_en,)+] },
            remedies: super::Items { zh: &[$($remedy_zh,)+], en: &[$($remedy_en,)+] },
        };)+
    };
}
use guides;

impl ErrorKind {
    /// Returns how this kind comes about: one to three phrases, the most common first.
    ///
    /// ```
    /// use kimi_errors::{ErrorKind, Lang};
    ///
    /// let causes = ErrorKind::FileTooLarge.causes(Lang::En);
    /// assert_eq!(causes[0], "the file is larger than the limit, commonly 100 MB");
    /// ```
    #[must_use]
    pub const fn causes(self, lang: Lang) -> &'static [&'static str] {
        self.guide().causes.in_lang(lang)
    }

    /// Returns what to do about this kind: two to four phrases, the first to try first.
    ///
    /// ```
    /// use kimi_errors::{ErrorKind, Lang};
    ///
    /// let remedies = ErrorKind::TokenExpired.remedies(Lang::Zh);
    /// assert_eq!(remedies[0], "刷新或重新获取 token，然后只重试一次");
    /// ```
    #[must_use]
    pub const fn remedies(self, lang: Lang) -> &'static [&'static str] {
        self.guide().remedies.in_lang(lang)
    }

    const fn guide(self) -> &'static Guide {
        match self {
            Self::Validation => &request::VALIDATION,
            Self::ParamsInvalid => &request::PARAMS_INVALID,
            Self::Unprocessable => &request::UNPROCESSABLE,
            Self::RouteNotFound => &request::ROUTE_NOT_FOUND,
            Self::MethodNotAllowed => &request::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => &request::UNSUPPORTED_MEDIA_TYPE,
            Self::PayloadTooLarge => &request::PAYLOAD_TOO_LARGE,
            Self::FileUrlInvalid => &request::FILE_URL_INVALID,
            Self::FileTooLarge => &request::FILE_TOO_LARGE,
            Self::NotFound => &caller::NOT_FOUND,
            Self::Conflict => &caller::CONFLICT,
            Self::ContextLength => &caller::CONTEXT_LENGTH,
            Self::LengthLimit => &caller::LENGTH_LIMIT,
            Self::ContentFiltered => &caller::CONTENT_FILTERED,
            Self::InvalidCredentials => &caller::INVALID_CREDENTIALS,
            Self::PermissionDenied => &caller::PERMISSION_DENIED,
            Self::Cancelled => &caller::CANCELLED,
            Self::TokenExpired => &session::TOKEN_EXPIRED,
            Self::StreamBusy => &session::STREAM_BUSY,
            Self::RateLimited => &quota::RATE_LIMITED,
            Self::ConcurrencyLimited => &quota::CONCURRENCY_LIMITED,
            Self::UsageLimited => &quota::USAGE_LIMITED,
            Self::ResearchLimit => &quota::RESEARCH_LIMIT,
            Self::QuotaExhausted => &quota::QUOTA_EXHAUSTED,
            Self::RequestFailed => &upstream::REQUEST_FAILED,
            Self::BadGateway => &upstream::BAD_GATEWAY,
            Self::Overloaded => &upstream::OVERLOADED,
            Self::Unavailable => &upstream::UNAVAILABLE,
            Self::Timeout => &upstream::TIMEOUT,
            Self::StreamTruncated => &upstream::STREAM_TRUNCATED,
            Self::System => &us::SYSTEM,
            Self::NotImplemented => &us::NOT_IMPLEMENTED,
            Self::Test => &us::TEST,
        }
    }
}

#[cfg(test)]
mod tests;
