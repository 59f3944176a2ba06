//! Waits that stand in the text of a message, where Kimi's rate limits put them.

use std::time::Duration;

use memchr::memchr2_iter;

use super::duration;
use crate::{decode::READ_BYTES, scan::start};

/// What stands before the wait, on both sides of the letter that is looked for, which is rarer than
/// the others. Kimi writes the first, OpenAI the second.
const PHRASES: &[(&str, &str)] =
    &[("tr", " again after "), ("tr", " again in "), ("retr", " after "), ("retr", " in ")];

/// What follows the wait in Chinese: 「请 3 秒后重试」.
const SUFFIXES: &[&str] = &["后", "之后", "以后", "再"];

/// Returns the wait that a message names: `please try again after 1 seconds`, `in 6m0s`, 「3 秒后」.
pub(crate) fn in_text(text: &str) -> Option<Duration> {
    let text = start(text, READ_BYTES);
    let chinese = || if text.is_ascii() { None } else { in_chinese(text) };
    in_english(text).max(chinese())
}

fn in_english(text: &str) -> Option<Duration> {
    let waits = memchr2_iter(b'y', b'Y', text.as_bytes()).filter_map(|at| {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + 1..]);
        let said = |(head, tail): &&(&str, &str)| {
            let head = before
                .len()
                .checked_sub(head.len())
                .map(|from| &before[from..])
                .is_some_and(|end| end.eq_ignore_ascii_case(head.as_bytes()));
            head && after
                .get(..tail.len())
                .is_some_and(|it| it.eq_ignore_ascii_case(tail.as_bytes()))
        };
        let (_, tail) = PHRASES.iter().find(said)?;
        duration::prefix(&text[at + 1 + tail.len()..]).map(|(wait, _)| wait)
    });
    waits.max()
}

/// Looks at each number, with all its units: 「1 分 30 秒后」 is not 30 s.
fn in_chinese(text: &str) -> Option<Duration> {
    let mut longest = None;
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[at..];
        if let Some((wait, after)) = duration::prefix(rest) {
            if SUFFIXES.iter().any(|suffix| after.trim_start().starts_with(suffix)) {
                longest = longest.max(Some(wait));
            }
            rest = after;
        } else {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_found_in_the_texts_of_kimi_and_openai() {
        let cases: &[(&str, Option<u64>)] = &[
            ("request reached max RPM: 3, please try again after 1 seconds", Some(1_000)),
            ("Please TRY AGAIN AFTER 1.5s", Some(1_500)),
            ("limit reached. Please try again in 6m0s.", Some(360_000)),
            ("Please try again in 20ms. Visit us.", Some(20)),
            ("请求过于频繁，请 3 秒后重试", Some(3_000)),
            ("请在1.5秒之后再试", Some(1_500)),
            ("请 2 分钟后重试", Some(120_000)),
            ("Please try again in 1 minute and 30 seconds.", Some(90_000)),
            ("try again after 0 seconds, or try again in 6m0s", Some(360_000)),
            ("请 1 分 30 秒后重试", Some(90_000)),
            ("请1小时5分钟后再试", Some(3_900_000)),
            ("请 30s 后重试", Some(30_000)),
            ("请30s后重试", Some(30_000)),
            ("当前分组 5 秒内限流，请 30 秒后重试", Some(30_000)),
            ("已运行 5 秒，失败", None),
            ("please try again after T seconds", None),
            ("please try again after -1 seconds", None),
            ("please try again later", None),
            ("try again after ", None),
            ("秒后", None),
            ("", None),
        ];
        for (text, ms) in cases {
            assert_eq!(in_text(text), ms.map(Duration::from_millis), "{text:?}");
        }
    }
}
