//! One JSON object, with the same keys for every answer.

use serde::Serialize;

use super::super::{
    Diagnosis,
    words::{advice_in_full, words},
};
use crate::{Error, Lang, RetryAdvice, wait::http_date};

#[derive(Serialize)]
struct Page<'a> {
    ok: bool,
    lang: &'static str,
    path: Vec<Row>,
    kind: Option<&'static str>,
    errcode: Option<i32>,
    message: &'a str,
    meaning: Option<&'static str>,
    request_id: Option<&'a str>,
    fault: Option<&'static str>,
    advice: Option<Advice>,
    causes: &'static [&'static str],
    remedies: &'static [&'static str],
    if_it_persists: Option<&'static str>,
}

#[derive(Serialize)]
struct Row {
    step: &'static str,
    label: String,
}

#[derive(Serialize)]
struct Advice {
    retry: &'static str,
    after_ms: Option<u64>,
    at: Option<String>,
    text: String,
}

pub(super) fn render(diagnosis: &Diagnosis, lang: Lang) -> String {
    let words = words(lang);
    let error = diagnosis.error();
    let page = Page {
        ok: diagnosis.is_success(),
        lang: lang.tag(),
        path: diagnosis
            .path()
            .iter()
            .map(|step| Row { step: step.name(), label: step.to_string() })
            .collect(),
        kind: diagnosis.kind().map(|kind| kind.name()),
        errcode: error.map(Error::errcode),
        message: diagnosis.message(lang).unwrap_or(words.success),
        meaning: diagnosis.kind().map(|kind| kind.message(lang)),
        request_id: error.and_then(Error::request_id),
        fault: diagnosis.kind().map(|kind| kind.fault().label(Lang::En)),
        advice: diagnosis.advice().map(|given| advice(given, lang)),
        causes: diagnosis.causes(lang),
        remedies: diagnosis.remedies(lang),
        if_it_persists: error.map(|_| words.escalate),
    };
    // Strings, numbers and lists of them: all of it is JSON.
    let mut out = serde_json::to_string_pretty(&page).unwrap_or_default();
    out.push('\n');
    out
}

fn advice(given: RetryAdvice, lang: Lang) -> Advice {
    let (after_ms, at) = match given {
        RetryAdvice::Backoff { after } => {
            (after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)), None)
        }
        RetryAdvice::AfterReset { at } => (None, at.and_then(http_date)),
        RetryAdvice::Never | RetryAdvice::AfterRefresh | RetryAdvice::AfterStream => (None, None),
    };
    Advice { retry: given.name(), after_ms, at, text: advice_in_full(given, lang) }
}
