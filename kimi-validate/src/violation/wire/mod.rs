use kimi_errors::{Error, ErrorKind, Lang};
use serde_json::{Value, json};

use super::{Rule, Violation, Violations, place};

impl Violations {
    /// Returns the error to refuse the request with: `Validation`, -1001 with 400, or
    /// `PayloadTooLarge`, 413, if the body is larger than the limit.
    ///
    /// | part | what it says |
    /// |---|---|
    /// | `message` | the kind's words, the first violation's sentence and pointer, and how many more there are: all that the users of an OpenAI SDK see |
    /// | `param` | the first violation's place as OpenAI writes it, `messages[0].role`, since callers of its SDKs compare it with such names; none if it is the whole body |
    /// | `data` | [`to_data`](Self::to_data), where the dialect has it |
    /// | source | these violations, for [`kimi_errors::chain::find`] |
    ///
    /// An answer with 32 violations has at most 16 000 bytes in every dialect and language.
    /// For this, pointers, names and `param` are shown up to 64 bytes, with `…` for the rest, which
    /// only a name given to [`with_required`](crate::Profile::with_required) can need. gRPC trailers
    /// have no `data`, and stay within the 8 KiB that its specification suggests: they carry message
    /// and `param`.
    ///
    /// ```
    /// use kimi_errors::{Dialect, Lang};
    /// use kimi_validate::{ChatRequest, Profile, Violations};
    ///
    /// let violations = ChatRequest::parse("{}", &Profile::article()).unwrap_err();
    /// let error = violations.into_error(Lang::Zh);
    /// assert_eq!(error.status(), 400);
    /// assert_eq!(error.message(), "请求参数校验错误：模型ID(model)不能为空（/model），另有1处错误");
    /// assert_eq!(error.param(), Some("model"));
    ///
    /// let body = Dialect::Errcode.body(&error);
    /// assert_eq!(
    ///     String::from_utf8_lossy(&body),
    ///     concat!(
    ///         r#"{"errcode":-1001,"#,
    ///         r#""errmsg":"请求参数校验错误：模型ID(model)不能为空（/model），另有1处错误","#,
    ///         r#""data":{"limit":32,"truncated":0,"violations":["#,
    ///         r#"{"message":"模型ID(model)不能为空","pointer":"/model","rule":"required","type":null},"#,
    ///         r#"{"message":"消息列表(messages)必须是非空数组","pointer":"/messages","rule":"required","type":null}"#,
    ///         r#"]}}"#,
    ///     ),
    /// );
    /// let typed: Option<&Violations> = kimi_errors::chain::find(&error);
    /// assert_eq!(typed.map(|it| it.as_slice().len()), Some(2));
    /// ```
    #[must_use]
    pub fn into_error(self, lang: Lang) -> Error {
        let kind = match self.first().rule() {
            Rule::BodyBytes => ErrorKind::PayloadTooLarge,
            _ => ErrorKind::Validation,
        };
        let message = self.public_message(kind, lang);
        let error = Error::new(kind).with_lang(lang).with_message(message);
        let error = match place::param(self.first().pointer()) {
            Some(param) => error.with_param(&param),
            None => error,
        };
        error.with_data(self.to_data(lang)).with_source(self)
    }

    /// Returns the `data` of the envelope.
    ///
    /// ```json
    /// {
    ///   "limit": 32,
    ///   "truncated": 3,
    ///   "violations": [
    ///     {
    ///       "message": "消息0的角色(role)必须是user、assistant或system",
    ///       "pointer": "/messages/0/role",
    ///       "rule": "one_of",
    ///       "type": "string"
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// Keys stand in alphabetical order. `violations` has at least one item, and at most `limit`:
    /// what the profile says, 32 by default, or 1 where the reading ended at the fault. `truncated`
    /// is how many more there are. `rule` is a [`Rule::name`], `type` a
    /// [`JsonType::name`](crate::JsonType::name), or `null` where nothing stands, or the fault is
    /// not a value's.
    #[must_use]
    pub fn to_data(&self, lang: Lang) -> Value {
        let list: Vec<Value> = self.into_iter().map(|violation| one(violation, lang)).collect();
        // In alphabetical order here too, so that it does not depend on features of `serde_json`.
        json!({ "limit": self.limit(), "truncated": self.truncated(), "violations": list })
    }

    /// No colon and no equals sign follows the pointer or a name: what stands behind `token:` is
    /// taken for a secret and hidden.
    fn public_message(&self, kind: ErrorKind, lang: Lang) -> String {
        let (words, first) = (kind.message(lang), self.first());
        let (sentence, pointer) = (first.message(lang), place::shown(first.pointer()));
        let others = self.others();
        let (colon, pointer, others) = match lang {
            Lang::Zh => ("：", format!("（{pointer}）"), format!("，另有{others}处错误")),
            _ => (": ", format!(" ({pointer})"), format!(", and {others} more")),
        };
        let pointer = Some(pointer).filter(|_| !first.pointer().is_empty()).unwrap_or_default();
        let others = Some(others).filter(|_| self.others() > 0).unwrap_or_default();
        [words, colon, &sentence, &pointer, &others].concat()
    }
}

fn one(violation: &Violation, lang: Lang) -> Value {
    json!({
        "message": violation.message(lang),
        "pointer": place::shown(violation.pointer()),
        "rule": violation.rule().name(),
        "type": violation.found().map(|found| found.name()),
    })
}

#[cfg(test)]
mod tests;
