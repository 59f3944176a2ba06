//! What a table says about an answer, and how its rows are found.

use std::time::Duration;

use memchr::memchr2_iter;

use crate::{ErrorKind, RetryAdvice};

/// The bytes of a message that are read for what they mean: every message known has less than 300,
/// and the rest is room for what a gateway puts before it.
pub(crate) const READ_BYTES: usize = 384;

/// The bytes behind the first part of a text in which the other parts are looked for: they belong
/// to one sentence.
const APART_BYTES: usize = 160;

/// What an answer means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) kind: ErrorKind,
    /// Advice other than the kind's own.
    pub(crate) advice: Option<RetryAdvice>,
    /// An errcode other than the kind's own.
    pub(crate) errcode: Option<i32>,
    /// An HTTP status other than the kind's own, where our own head names it.
    pub(crate) status: Option<u16>,
    /// Whether the text is written for people; a stranger's log line is not.
    pub(crate) shows_text: bool,
    /// Whether our own head says so. A wait then stands in the head, or there is none.
    pub(crate) is_exact: bool,
}

impl Verdict {
    pub(crate) const fn of(kind: ErrorKind) -> Self {
        Self { kind, advice: None, errcode: None, status: None, shows_text: true, is_exact: false }
    }

    pub(crate) const fn advising(mut self, advice: RetryAdvice) -> Self {
        self.advice = Some(advice);
        self
    }

    pub(crate) const fn with_errcode(mut self, errcode: i32) -> Self {
        self.errcode = Some(errcode);
        self
    }

    pub(crate) const fn without_text(mut self) -> Self {
        self.shows_text = false;
        self
    }

    #[cfg(feature = "http")]
    pub(crate) const fn exactly(mut self, status: Option<u16>) -> Self {
        self.is_exact = true;
        self.status = status;
        self
    }
}

/// A row of a table: a word or a text, and what it means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// A code or type, matched whole; or the parts of a text, matched in this order, without
    /// regard to ASCII case, the first of them at the start of a word.
    parts: &'static [&'static str],
    pub(crate) verdict: Verdict,
}

impl Rule {
    pub(crate) const fn on(parts: &'static [&'static str], kind: ErrorKind) -> Self {
        Self { parts, verdict: Verdict::of(kind) }
    }

    #[cfg(test)]
    pub(crate) const fn parts(&self) -> &'static [&'static str] {
        self.parts
    }

    pub(crate) const fn never(mut self) -> Self {
        self.verdict.advice = Some(RetryAdvice::NEVER);
        self
    }

    pub(crate) const fn backoff(mut self) -> Self {
        self.verdict.advice = Some(RetryAdvice::BACKOFF);
        self
    }

    pub(crate) const fn after_secs(mut self, secs: u64) -> Self {
        self.verdict.advice = Some(RetryAdvice::Backoff { after: Some(Duration::from_secs(secs)) });
        self
    }

    pub(crate) const fn after_reset(mut self) -> Self {
        self.verdict.advice = Some(RetryAdvice::AFTER_RESET);
        self
    }

    pub(crate) const fn without_text(mut self) -> Self {
        self.verdict.shows_text = false;
        self
    }
}

/// Returns the row of a code or type.
pub(crate) fn by_word(rules: &[Rule], word: &str) -> Option<Verdict> {
    // Most answers have no code, which need not be looked for in every row.
    if word.is_empty() {
        return None;
    }
    rules.iter().find(|rule| rule.parts[0] == word).map(|rule| rule.verdict)
}

/// Tables of texts, one below the other, with an index of the three bytes that they begin with.
#[derive(Debug)]
pub(crate) struct Texts {
    rows: [Option<&'static Rule>; Self::MAX],
    /// For each [`bucket`], 1 plus the place of the first row in it; 0 for none.
    first: [u8; Self::BUCKETS],
    /// For each row, the same of the next row in its bucket.
    next: [u8; Self::MAX],
}

impl Texts {
    const MAX: usize = 128;
    const BUCKETS: usize = 1 << 10;

    pub(crate) const fn new(tables: &[&'static [Rule]]) -> Self {
        let mut all =
            Self { rows: [None; Self::MAX], first: [0; Self::BUCKETS], next: [0; Self::MAX] };
        // From the last row to the first, so that every chain is in order.
        let mut count = 0;
        let mut table = 0;
        while table < tables.len() {
            count += tables[table].len();
            table += 1;
        }
        assert!(count <= Self::MAX, "all tables together have at most 128 rows");
        while table > 0 {
            table -= 1;
            let mut row = tables[table].len();
            while row > 0 {
                row -= 1;
                all.rows[count - 1] = Some(&tables[table][row]);
                let text = tables[table][row].parts[0].as_bytes();
                assert!(text.len() > 2, "the index is of three bytes");
                let bucket = bucket(text[0], text[1], text[2]);
                all.next[count - 1] = all.first[bucket];
                #[expect(clippy::cast_possible_truncation, reason = "there are at most 128 rows")]
                {
                    all.first[bucket] = count as u8;
                }
                count -= 1;
            }
        }
        all
    }

    /// Returns the first row whose text is said in `text`.
    pub(crate) fn find(&self, text: &str) -> Option<Verdict> {
        self.find_among(Self::MAX, text)
    }

    /// Returns the first of the first `rows` rows whose text is said in `text`.
    ///
    /// One pass: at each start of a word, the rows that begin like it are tried, as far as they
    /// stand above the best one so far.
    pub(crate) fn find_among(&self, rows: usize, text: &str) -> Option<Verdict> {
        let text = &text.as_bytes()[..text.len().min(READ_BYTES)];
        let mut best = rows + 1;
        for (eight, starts) in (0..).step_by(8).zip(starts(text).chunks_exact(8)) {
            // Eight flags are one number, so that bytes without one cost an eighth of a look.
            let mut starts = u64::from_le_bytes(starts.try_into().unwrap_or_default());
            while starts != 0 {
                let text = &text[eight + starts.trailing_zeros() as usize / 8..];
                starts &= starts - 1;
                let [first, second, third, ..] = *text else { break };
                let mut row = usize::from(self.first[bucket(first, second, third)]);
                while row != 0 && row < best {
                    if self.rows[row - 1].is_some_and(|rule| begins(text, rule.parts)) {
                        best = row;
                    }
                    row = usize::from(self.next[row - 1]);
                }
            }
        }
        self.rows.get(best - 1)?.filter(|_| best <= rows).map(|rule| rule.verdict)
    }
}

/// Returns 1 for each place at which a row may begin: not within a word, and not at a blank.
fn starts(text: &[u8]) -> [u8; READ_BYTES] {
    // Arithmetic without a branch, which is done on many bytes at once.
    let is_word =
        |byte: &u8| ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10);
    let mut starts = [0; READ_BYTES];
    starts[0] = 1;
    let pairs = text.iter().zip(text.get(1..).unwrap_or_default());
    for (start, (before, byte)) in starts[1..].iter_mut().zip(pairs) {
        *start = u8::from(!(is_word(before) & is_word(byte)) & (*byte != b' '));
    }
    starts
}

/// Returns where rows that begin with three bytes stand. ASCII case is a bit past the five that
/// count; what else falls together is told apart by looking at the text.
const fn bucket(first: u8, second: u8, third: u8) -> usize {
    let (first, second, third) = (first & 31, second & 31, third & 31);
    (first as usize) << 5 ^ (second as usize) << 2 ^ third as usize
}

/// Returns where `part` stands in `text`, without regard to ASCII case.
pub(crate) fn find(text: &[u8], part: &str) -> Option<usize> {
    let part = part.as_bytes();
    let first = *part.first()?;
    let starts = &text[..(text.len() + 1).checked_sub(part.len())?];
    memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), starts)
        .find(|at| text[*at..*at + part.len()].eq_ignore_ascii_case(part))
}

/// Returns whether `text` begins with the first part and holds the others after it, in order.
fn begins(text: &[u8], parts: &[&str]) -> bool {
    let Some((first, others)) = parts.split_first() else { return false };
    let first = first.as_bytes();
    let Some((start, mut rest)) = text.split_at_checked(first.len()) else { return false };
    // Words of a kind begin alike, so that the last letter tells most of them apart at once.
    let ends = |text: &[u8]| text.last().map(u8::to_ascii_lowercase);
    if ends(start) != ends(first) || !start.eq_ignore_ascii_case(first) {
        return false;
    }
    rest = &rest[..rest.len().min(APART_BYTES)];
    others.iter().all(|part| {
        let found = find(rest, part);
        rest = found.map_or(rest, |at| &rest[at + part.len()..]);
        found.is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Texts = Texts::new(&[&[
        Rule::on(&["reached", "usage limit"], ErrorKind::UsageLimited),
        Rule::on(&["TPD rate limit"], ErrorKind::UsageLimited),
        Rule::on(&["reached"], ErrorKind::RateLimited),
        Rule::on(&["请求失败"], ErrorKind::RequestFailed),
    ]]);

    fn kind(text: &str) -> Option<ErrorKind> {
        TABLE.find(text).map(|verdict| verdict.kind)
    }

    #[test]
    fn the_first_row_wins_wherever_its_text_stands() {
        assert_eq!(kind("Reached X, then reached the USAGE LIMIT"), Some(ErrorKind::UsageLimited));
        assert_eq!(kind("you reached it"), Some(ErrorKind::RateLimited));
        assert_eq!(kind("org tpd RATE limit"), Some(ErrorKind::UsageLimited));
        assert_eq!(kind("抱歉请求失败了"), Some(ErrorKind::RequestFailed));
    }

    #[test]
    fn a_text_inside_a_word_is_not_said() {
        assert_eq!(kind("overreached"), None);
        assert_eq!(kind("reach"), None);
        assert_eq!(kind(""), None);
    }
}
