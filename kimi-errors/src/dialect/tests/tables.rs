use crate::dialect::{free_api, kimi_server, minimax, oauth, platform, web};
use crate::{
    ErrorKind, RetryAdvice,
    decode::{Rule, Texts, by_word},
};

fn texts() -> [&'static [Rule]; 5] {
    let [texts, faults, _] = platform::tables();
    [texts, faults, web::TEXTS, free_api::SYSTEM_TEXTS, free_api::SIBLING_TEXTS]
}

fn words() -> [&'static [Rule]; 5] {
    [platform::tables()[2], web::TYPES, oauth::WORDS, kimi_server::CODES, minimax::CODES]
}

#[test]
fn a_quota_never_says_retry() {
    for rule in [texts().concat(), words().concat()].concat() {
        let verdict = rule.verdict;
        let advice = verdict.advice.unwrap_or(verdict.kind.advice());
        let is_quota = matches!(
            verdict.kind,
            ErrorKind::UsageLimited | ErrorKind::ResearchLimit | ErrorKind::QuotaExhausted
        );
        assert!(!is_quota || !matches!(advice, RetryAdvice::Backoff { .. }), "{rule:?}");
    }
}

#[test]
fn no_row_stands_behind_one_that_says_as_much() {
    for table in texts() {
        let texts = Texts::new(&[table]);
        for rule in table {
            assert_eq!(texts.find(&rule.parts().join(" ")), Some(rule.verdict), "{rule:?}");
        }
    }
    for table in words() {
        for rule in table {
            let found = by_word(table, rule.parts()[0]);
            assert_eq!((found, rule.parts().len()), (Some(rule.verdict), 1), "{rule:?}");
        }
    }
}
