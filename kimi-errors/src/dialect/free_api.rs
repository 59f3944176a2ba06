//! The form of kimi-free-api: `{"code":-2002,"message":"Token已失效","data":null}`, HTTP 200.

use std::io::Write as _;

use super::{errcode, openai, platform, write_data, write_str};
use crate::{
    Error,
    ErrorKind::{
        BadGateway, ContentFiltered, FileTooLarge, RequestFailed, RouteNotFound, System, Timeout,
        TokenExpired, UsageLimited, Validation,
    },
    decode::{Rule, Texts, Verdict},
};

/// Texts behind -1000, which is every exception that nobody caught, those of axios among them.
pub(super) const SYSTEM_TEXTS: &[Rule] = &[
    Rule::on(&["[请求有误]"], RouteNotFound),
    Rule::on(&["文件等待处理超时"], Timeout),
    Rule::on(&["maxContentLength size of", "exceeded"], FileTooLarge),
    Rule::on(&["maxBodyLength size of", "exceeded"], FileTooLarge),
    Rule::on(&["Stream response invalid:"], BadGateway).without_text(),
    Rule::on(&["Request failed with status code"], RequestFailed),
    Rule::on(&["timeout of", "ms exceeded"], Timeout),
    Rule::on(&["connect E"], Timeout).without_text(),
    Rule::on(&["getaddrinfo E"], Timeout).without_text(),
    Rule::on(&["read E"], Timeout).without_text(),
    Rule::on(&["write E"], Timeout).without_text(),
    Rule::on(&["socket hang up"], Timeout).without_text(),
];

/// Texts behind -2006 to -2009, which mean something else in each sibling of kimi-free-api.
pub(super) const SIBLING_TEXTS: &[Rule] = &[
    Rule::on(&["合规"], ContentFiltered),
    Rule::on(&["上传超时"], Timeout),
    Rule::on(&["上传失败"], RequestFailed),
    Rule::on(&["生成失败"], RequestFailed),
    Rule::on(&["不能为空"], Validation),
    Rule::on(&["积分不足"], UsageLimited),
];

static SYSTEM: Texts = Texts::new(&[SYSTEM_TEXTS]);
static SIBLING: Texts = Texts::new(&[SIBLING_TEXTS]);

/// Returns what a code and its message mean.
pub(crate) fn verdict(code: Option<i32>, text: &str) -> Verdict {
    let verdict = match code {
        Some(-1) => platform::said(text, true).or(Some(Verdict::of(System))),
        Some(-1000) => SYSTEM.find(text),
        // Its default text is what an upstream's 401 becomes: the token is dead.
        Some(-2001) if ["请求失败", "获取用户信息失败"].contains(&text) => {
            Some(Verdict::of(TokenExpired))
        }
        // It is thrown about an answer that was read, so that no text of a broken connection stands
        // behind it: those are behind -1000.
        Some(-2001) => upstream_text(text).map(by_upstream_text),
        Some(-2009..=-2006) => SIBLING.find(text).map(|verdict| {
            // -2006 is an errcode of ours with another meaning; the rest have none.
            code.filter(|code| *code < -2006).map_or(verdict, |code| verdict.with_errcode(code))
        }),
        _ => None,
    };
    verdict.unwrap_or_else(|| errcode::verdict(code, text, None))
}

/// Returns the upstream's text in 「[请求kimi失败]: 服务内部错误」.
fn upstream_text(text: &str) -> Option<&str> {
    text.strip_prefix("[请求")?.split_once("失败]:").map(|(_, upstream)| upstream)
}

/// Returns what the upstream's text means; whatever it is, the upstream failed.
fn by_upstream_text(text: &str) -> Verdict {
    let verdict = platform::said(text, true).filter(|verdict| verdict.kind != System);
    verdict.unwrap_or(Verdict::of(RequestFailed))
}

pub(crate) fn write(error: &Error, out: &mut Vec<u8>) {
    write_members(error, out);
    out.push(b'}');
}

/// Appends the body with an `error` object beside it.
pub(super) fn write_frame(error: &Error, out: &mut Vec<u8>) {
    write_members(error, out);
    out.extend_from_slice(b",\"error\":");
    openai::write_object(error, true, out);
    out.push(b'}');
}

fn write_members(error: &Error, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    let _ = write!(out, "{{\"code\":{},\"message\":", error.errcode());
    write_str(error.message(), out);
    out.extend_from_slice(b",\"data\":");
    write_data(error, out);
}
