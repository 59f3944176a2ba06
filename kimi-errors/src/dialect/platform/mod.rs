//! What the Kimi platform, its Anthropic face, hosted agents and Kimi Code say in the error object
//! that they share: `{"error":{"message":"…","type":"engine_overloaded_error"}}`.
//!
//! Texts come before types: one `rate_limit_reached_error` asks for a second's patience, the next
//! for a day's, and `access_terminated_error` is a client, a week or a concurrency.

mod words;

use self::words::{CALLER_WORDS, WORDS};
use super::{status, web};
use crate::{
    ErrorKind::{
        BadGateway, Cancelled, ConcurrencyLimited, ContentFiltered, ContextLength, FileTooLarge,
        FileUrlInvalid, InvalidCredentials, NotFound, Overloaded, ParamsInvalid, PayloadTooLarge,
        PermissionDenied, QuotaExhausted, RateLimited, RequestFailed, RouteNotFound, System,
        Timeout, TokenExpired, Unavailable, UsageLimited,
    },
    decode::{Rule, Texts, Verdict, by_word},
};

/// Texts that mean the same wherever they are said.
const TEXTS: &[Rule] = &[
    // Limits of a minute, which Google and Bailian put in the words that OpenAI has for a balance.
    Rule::on(&["exceeded your current quota", "error-code#token-limit"], RateLimited),
    Rule::on(&["quota exceeded for metric"], RateLimited),
    // Quotas stand before limits: both say "limit", and a quota must never say "retry".
    Rule::on(&["TPD rate limit"], UsageLimited),
    Rule::on(&["reached", "usage limit"], UsageLimited),
    Rule::on(&["insufficient balance"], QuotaExhausted),
    Rule::on(&["recharge your account"], QuotaExhausted),
    Rule::on(&["please recharge"], QuotaExhausted),
    Rule::on(&["balance is insufficient"], QuotaExhausted),
    Rule::on(&["insufficient account balance"], QuotaExhausted),
    Rule::on(&["credit balance is too low"], QuotaExhausted),
    Rule::on(&["overdue balance"], QuotaExhausted),
    Rule::on(&["billing hard limit"], QuotaExhausted),
    Rule::on(&["user quota is not enough"], QuotaExhausted),
    Rule::on(&["budget has been exceeded"], QuotaExhausted),
    Rule::on(&["requires more credits"], QuotaExhausted),
    Rule::on(&["insufficient credits"], QuotaExhausted),
    Rule::on(&["欠费"], QuotaExhausted),
    Rule::on(&["额度已用尽"], QuotaExhausted),
    Rule::on(&["额度不足"], QuotaExhausted),
    Rule::on(&["余额不足"], QuotaExhausted),
    Rule::on(&["余额已用尽"], QuotaExhausted),
    Rule::on(&["请充值"], QuotaExhausted),
    Rule::on(&["account", "in arrears"], QuotaExhausted),
    Rule::on(&["account", "is suspended"], QuotaExhausted),
    Rule::on(&["is not active, current state:"], QuotaExhausted),
    Rule::on(&["exceeded your current", "quota"], QuotaExhausted),
    Rule::on(&["exceeded current quota"], QuotaExhausted),
    Rule::on(&["check your account balance"], QuotaExhausted),
    Rule::on(&["exceeded the max file count"], QuotaExhausted),
    // "Usually temporary", says the text; the official clients treat its 402 as final, and so do we.
    Rule::on(&["unable to verify your membership benefits"], QuotaExhausted),
    // Limits.
    Rule::on(&["request reached", "concurrency"], ConcurrencyLimited),
    Rule::on(&["reached your concurrent request limit"], ConcurrencyLimited),
    Rule::on(&["request reached", "max RPM"], RateLimited),
    // "max request" and, misspelt on the wire, "max requset".
    Rule::on(&["request reached", "max requ"], RateLimited),
    Rule::on(&["TPM rate limit"], RateLimited),
    Rule::on(&["rate limit exceeded"], RateLimited),
    Rule::on(&["receiving too many requests"], RateLimited),
    Rule::on(&["number of concurrent connections"], ConcurrencyLimited),
    Rule::on(&["并发数过高"], ConcurrencyLimited),
    Rule::on(&["out of call volume quota"], UsageLimited),
    Rule::on(&["engine is currently overloaded"], Overloaded),
    Rule::on(&["model is overloaded"], Overloaded),
    Rule::on(&["负载已饱和"], Overloaded),
    // The account.
    Rule::on(&["unauthenticated: failed_precondition:"], InvalidCredentials),
    Rule::on(&["unauthenticated: not_found:"], InvalidCredentials),
    Rule::on(&["api key appears to be invalid or may have expired"], TokenExpired),
    Rule::on(&["incorrect api key provided"], InvalidCredentials),
    Rule::on(&["api key not valid"], InvalidCredentials),
    Rule::on(&["invalid api key"], InvalidCredentials),
    Rule::on(&["invalid subscription key"], InvalidCredentials),
    Rule::on(&["missing subscription key"], InvalidCredentials),
    Rule::on(&["no auth credentials found"], InvalidCredentials),
    Rule::on(&["no api key found"], InvalidCredentials),
    Rule::on(&["无效的令牌"], InvalidCredentials),
    Rule::on(&["身份验证失败"], InvalidCredentials),
    Rule::on(&["user location is not supported"], PermissionDenied),
    Rule::on(&["only available for coding agents"], PermissionDenied),
    Rule::on(&["access terminated"], PermissionDenied),
    Rule::on(&["api you are accessing is not open"], PermissionDenied),
    Rule::on(&["not allowed to get other user info"], PermissionDenied),
    Rule::on(&["your ip is not allowed"], PermissionDenied),
    Rule::on(&["(security_risk)"], PermissionDenied),
    // The request.
    Rule::on(&["considered high risk"], ContentFiltered),
    Rule::on(&["moderation request error"], ContentFiltered),
    Rule::on(&["blocked by content filtering"], ContentFiltered),
    Rule::on(&["敏感内容"], ContentFiltered),
    Rule::on(&["request exceeded model token limit"], ContextLength),
    Rule::on(&["input token length too long"], ContextLength),
    Rule::on(&["maximum context length"], ContextLength),
    Rule::on(&["prompt is too long"], ContextLength),
    Rule::on(&["context size has been exceeded"], ContextLength),
    Rule::on(&["total message size", "exceeds limit"], PayloadTooLarge),
    Rule::on(&["request exceeds the maximum size"], PayloadTooLarge),
    Rule::on(&["request entity too large"], PayloadTooLarge),
    Rule::on(&["request too large"], PayloadTooLarge),
    Rule::on(&["request body too large"], PayloadTooLarge),
    Rule::on(&["payload too large"], PayloadTooLarge),
    Rule::on(&["content too large"], PayloadTooLarge),
    Rule::on(&["maximum allowed number of bytes"], PayloadTooLarge),
    Rule::on(&["file size is too large"], FileTooLarge),
    Rule::on(&["not found the model"], NotFound),
    Rule::on(&["the model", "does not exist"], NotFound),
    Rule::on(&["model not exist"], NotFound),
    Rule::on(&["model '", "' not found"], NotFound),
    Rule::on(&["model \"", "\" not found"], NotFound),
    Rule::on(&["no endpoints found for"], NotFound),
    Rule::on(&["模型不存在"], NotFound),
    Rule::on(&["(invalid_url)"], FileUrlInvalid),
    Rule::on(&["method not found"], RouteNotFound),
    Rule::on(&["context canceled"], Cancelled).without_text(),
];

/// Log lines of what stands behind the platform. They are read only where the platform itself is
/// to blame: in a 400 the same words describe the request.
const FAULTS: &[Rule] = &[
    // SQLSTATE 57P01 to 57P03: the database changes hands, which takes a minute.
    Rule::on(&["terminating connection due to administrator"], System)
        .after_secs(60)
        .without_text(),
    Rule::on(&["SQLSTATE 57P0"], System).after_secs(60).without_text(),
    Rule::on(&["failed to evaluate rate limit script"], System).without_text(),
    Rule::on(&["failed to connect to"], System).without_text(),
    Rule::on(&["conn closed"], System).without_text(),
    Rule::on(&["bad connection"], System).without_text(),
    Rule::on(&["i/o timeout"], System).without_text(),
    Rule::on(&["unexpected EOF"], System).without_text(),
    Rule::on(&["bot_id", "does not match id_kinds"], System).never().without_text(),
    Rule::on(&["unavailable: 502"], Unavailable).without_text(),
    Rule::on(&["unavailable: 503"], Unavailable).without_text(),
    Rule::on(&["unavailable: 504"], Unavailable).without_text(),
    Rule::on(&["url2text"], RequestFailed).without_text(),
    Rule::on(&["checkUrl failed"], RequestFailed).without_text(),
    Rule::on(&["context deadline exceeded"], Timeout).without_text(),
    Rule::on(&["no healthy upstream"], Unavailable).without_text(),
    Rule::on(&["upstream request timeout"], Timeout).without_text(),
    Rule::on(&["upstream connect error"], BadGateway).without_text(),
];

/// Every text, those of faults last.
static SAID: Texts = Texts::new(&[TEXTS, web::TEXTS, FAULTS]);

/// Returns what a code, a type and a message mean together.
pub(crate) fn verdict(code: &str, error_type: &str, text: &str, http: Option<u16>) -> Verdict {
    let is_callers = CALLER_WORDS.contains(&error_type) || CALLER_WORDS.contains(&code);
    // "server_error" is also what a service says that is overloaded or gone, and its status tells.
    let says_less = |word: &Verdict| word.kind == System && http.is_some_and(is_about_the_service);
    let word =
        by_word(WORDS, code).or_else(|| by_word(WORDS, error_type)).filter(|word| !says_less(word));
    let may_be_fault = !is_callers
        && http.is_none_or(|http| http >= 500)
        && word.is_none_or(|word| word.kind == System);
    said(text, may_be_fault).or(word).unwrap_or_else(|| match http {
        Some(401..499) if is_callers => status::verdict(http.unwrap_or_default()),
        _ if is_callers => Verdict::of(ParamsInvalid),
        Some(http) => status::verdict(http),
        // An error of which nothing is known but that the upstream sent it.
        None => Verdict::of(RequestFailed),
    })
}

/// Returns whether a status tells what is wrong with a service, rather than that something is.
fn is_about_the_service(http: u16) -> bool {
    matches!(status::verdict(http).kind, Unavailable | BadGateway | Timeout | Overloaded)
        && http >= 500
}

/// Returns what a text means wherever it is said.
pub(crate) fn said(text: &str, may_be_fault: bool) -> Option<Verdict> {
    if may_be_fault {
        SAID.find(text)
    } else {
        SAID.find_among(TEXTS.len() + web::TEXTS.len(), text)
    }
}

#[cfg(test)]
pub(super) fn tables() -> [&'static [Rule]; 3] {
    [TEXTS, FAULTS, WORDS]
}
