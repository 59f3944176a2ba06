//! The error of a request that is refused.

use kimi_errors::{Error, ErrorKind, Lang, RetryAdvice};

use super::{
    Plan,
    fields::Policy,
    store::{Ask, Refused},
};

/// Returns the error, which says when to come again, or that it is in vain.
pub(super) fn error(
    plan: &Plan,
    ask: &Ask,
    refused: &Refused,
    policy: Option<&Policy>,
    lang: Lang,
) -> Error {
    let error = Error::new(ErrorKind::RateLimited).with_lang(lang);
    let error = match refused.wait {
        Some(wait) => error.with_retry_after(wait),
        None => error.with_advice(RetryAdvice::Never).with_message(too_much(
            plan,
            ask,
            refused.rule,
            lang,
        )),
    };
    match policy {
        Some(policy) => policy.write_error(&refused.levels, Some(refused), error),
        None => error,
    }
}

/// Says that there can never be so much.
fn too_much(plan: &Plan, ask: &Ask, rule: usize, lang: Lang) -> String {
    let (cost, name, most) = match plan.rules().get(rule) {
        Some(it) => (ask.costs.of(rule), it.name(), it.limit().capacity()),
        None => (0, "", 0),
    };
    match lang {
        Lang::En => format!("the request costs {cost}, more than the limit {name} of {most}"),
        _ => format!("请求需要{cost}，超过限额{name}的上限{most}"),
    }
}
