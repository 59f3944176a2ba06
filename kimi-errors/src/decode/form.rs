//! Tells the forms of JSON apart, in one pass over the top-level members.

use std::borrow::Cow;

use super::{
    Answer, Context, Form,
    error_object::{read_details, read_error},
    ordinary,
};
use crate::{
    GrpcCode,
    error::is_error_status,
    scan::{Members, Raw},
};

/// The top-level members that tell forms apart. Of a member that stands twice, the first counts.
#[derive(Default)]
struct Fields<'a> {
    errcode: Option<Raw<'a>>,
    code: Option<Raw<'a>>,
    scode: bool,
    error: Option<Raw<'a>>,
    error_type: Option<Raw<'a>>,
    error_description: Option<Raw<'a>>,
    r#type: Option<Raw<'a>>,
    event: Option<Raw<'a>>,
    message: Option<Raw<'a>>,
    msg: Option<Raw<'a>>,
    text: Option<Raw<'a>>,
    details: Option<Raw<'a>>,
    param: Option<Raw<'a>>,
    request_id: Option<Raw<'a>>,
    data: Option<Raw<'a>>,
    /// `"object":"error"`, `"success":false` or `"error":true`: the body calls itself an error.
    confessed: bool,
    /// Whether a member stands here that no form has.
    foreign: bool,
}

/// Returns what the object that `bytes` begin with says; `None` for a success, which is recognized
/// at its first decisive member.
pub(super) fn read<'a>(bytes: &'a [u8], context: Context) -> Option<Answer<'a>> {
    if !context.certain && ordinary::has_choices(bytes) {
        return None;
    }
    let mut members = Members::new(bytes)?;
    let fields = collect(&mut members, context)?;
    fields.into_answer(context)
}

/// Returns the members read; `None` as soon as one of them says that all is well.
fn collect<'a>(members: &mut Members<'a>, context: Context) -> Option<Fields<'a>> {
    let mut fields = Fields::default();
    while let Some(key) = members.next_key() {
        if !context.certain && !fields.hint_at_error() && is_success(&key, members, context) {
            return None;
        }
        fields.keep(&key, members);
    }
    Some(fields)
}

/// The types of what Anthropic's form of the platform answers when all is well.
const GOOD_TYPES: [&str; 4] = ["message", "message_start", "message_delta", "content_block_delta"];

/// Returns whether a member occurs in good answers only.
fn is_success(key: &str, members: &Members<'_>, context: Context) -> bool {
    let is_text_but = |errors: &[&str]| {
        let value = members.peek();
        value.is_text() && !errors.iter().any(|word| value.says(word))
    };
    match key {
        // MiniMax writes `null` beside an error.
        "choices" => members.first_byte() != Some(b'n'),
        // An error may follow these in an event (OpenRouter), so that there they decide nothing.
        "object" => !context.event && is_text_but(&["error"]),
        "type" => {
            let value = members.peek();
            GOOD_TYPES.iter().any(|word| value.says(word))
        }
        "event" => is_text_but(&["error", "length"]),
        "errcode" | "code" => members.peek().is_zero(),
        "scode" => members.peek().says("0x0"),
        _ => false,
    }
}

impl<'a> Fields<'a> {
    fn hint_at_error(&self) -> bool {
        let is_named = |value: Option<Raw<'a>>| value.is_some_and(Raw::names_error);
        self.errcode.is_some() || is_named(self.error) || is_named(self.error_type)
    }

    fn keep(&mut self, key: &str, members: &mut Members<'a>) {
        let slot = match key {
            "errcode" => &mut self.errcode,
            "code" => &mut self.code,
            "error" | "session_error" | "base_resp" => &mut self.error,
            "error_type" => &mut self.error_type,
            "error_description" => &mut self.error_description,
            "type" => &mut self.r#type,
            "event" => &mut self.event,
            "message" | "errmsg" => &mut self.message,
            "msg" => &mut self.msg,
            // As one-api and FastAPI name it.
            "err" | "error_msg" | "detail" => &mut self.text,
            "details" => &mut self.details,
            "param" => &mut self.param,
            "request_id" => &mut self.request_id,
            "data" => &mut self.data,
            "scode" => {
                self.scode = true;
                return;
            }
            "object" => {
                self.confessed |= members.value().says("error");
                return;
            }
            "success" => {
                self.confessed |= members.value().bytes == b"false";
                return;
            }
            _ => {
                self.foreign = true;
                return;
            }
        };
        if slot.is_none() {
            *slot = Some(members.value()).filter(|value| value.bytes != b"null");
        }
    }

    fn into_answer(self, context: Context) -> Option<Answer<'a>> {
        let mut answer = Answer {
            request_id: text(self.request_id),
            message: text(self.message).or_else(|| text(self.msg)).or_else(|| text(self.text)),
            data: self.data.map(|data| Cow::Borrowed(data.bytes)),
            ..Answer::default()
        };
        if let Some(object) = self.error.filter(|error| error.is_object()) {
            read_error(object, &mut answer);
        }
        answer.form = self.form(&answer, context)?;
        self.fill(&mut answer);
        Some(answer)
    }

    /// Returns the form, asking for what is peculiar before what is common.
    fn form(&self, answer: &Answer<'a>, context: Context) -> Option<Form> {
        let confessed = self.confessed || self.error.is_some_and(|error| error.bytes == b"true");
        let certain = context.certain || confessed;
        let is_ours = context.marked || answer.own.is_some();
        // A user of ours may have set any errcode but zero.
        let is_good = |code: Raw<'_>| if is_ours { code.is_zero() } else { code.is_good_code() };
        if let Some(errcode) = self.errcode {
            let fails = errcode.word().is_some() && !is_good(errcode);
            return (certain || fails).then_some(Form::Errcode);
        }
        let bad_code = self.code.filter(|code| !is_good(*code));
        let code = bad_code.and_then(Raw::integer);
        // Codes of kimi-free-api are negative; an errcode of ours need not be.
        let is_free_api = code.is_some_and(|code| code < 0 || is_ours);
        let has_error = matches!(answer.form, Form::Platform | Form::Connect | Form::MiniMax);
        let is_event = self.event.is_some_and(|event| event.says("error") || event.says("length"));
        let word = bad_code.and_then(Raw::word);
        let is_grpc = word.is_some_and(|word| GrpcCode::from_connect(&word).is_some());
        // Connect writes these three members and no other; "unknown" may be anybody's code.
        let has_details = self.details.is_some_and(|details| details.bytes.starts_with(b"["));
        let is_whole = answer.message.is_some()
            && self.details.is_none()
            && self.data.is_none()
            && !self.foreign;
        let is_connect = is_grpc && (certain || is_whole || has_details);
        Some(match () {
            () if self.error_type.is_some_and(Raw::names_error) => Form::Web,
            () if is_event && answer.error_type.is_none() => Form::WebEvent,
            // Our own frames of kimi-free-api have its keys and an `error` object beside them.
            () if is_free_api
                && answer.message.is_some()
                && (!has_error || answer.own.is_some()) =>
            {
                Form::FreeApi
            }
            () if has_error => answer.form,
            () if self.error.is_some_and(|error| error.names_error() && error.is_text()) => {
                Form::OAuth
            }
            () if is_connect => Form::Connect,
            () if code.is_some() && self.msg.is_some() && answer.request_id.is_some() => {
                Form::KimiServer
            }
            () if code.is_some() && self.scode => Form::Account,
            () if certain => Form::OtherJson,
            () => return None,
        })
    }

    /// Reads the members that mean something in the answer's form.
    fn fill(&self, answer: &mut Answer<'a>) {
        let number = self.code.and_then(Raw::integer);
        match answer.form {
            Form::Errcode => {
                answer.code = self.errcode.and_then(Raw::word);
                let errcode = self.errcode.and_then(Raw::integer);
                answer.errcode = errcode.and_then(|errcode| errcode.try_into().ok());
            }
            Form::FreeApi => {
                answer.code = self.code.and_then(Raw::word);
                answer.errcode = number.and_then(|number| number.try_into().ok());
            }
            Form::Web => answer.error_type = text(self.error_type),
            Form::WebEvent => answer.error_type = text(self.event),
            Form::OAuth => {
                answer.code = self.code.and_then(Raw::word);
                let error = text(self.error);
                if error.as_deref().is_some_and(|error| error.contains(' ') || !error.is_ascii()) {
                    answer.message = answer.message.take().or(error);
                } else {
                    answer.error_type = error;
                    answer.message = text(self.error_description).or(answer.message.take());
                }
            }
            // Its code may stand in an `error` object, which has been read.
            Form::Connect if answer.code.is_some() => {}
            Form::Connect => {
                answer.code = self.code.and_then(Raw::word);
                read_details(self.details, answer);
            }
            Form::KimiServer | Form::Account => answer.code = self.code.and_then(Raw::word),
            Form::OtherJson => {
                answer.status = number.and_then(http_status);
                answer.code = self.code.and_then(Raw::word);
                answer.error_type = text(self.r#type);
                answer.param = text(self.param);
            }
            Form::Platform | Form::MiniMax | Form::Html | Form::Text | Form::Empty => {}
        }
    }
}

fn text(value: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    value?.text().filter(|text| !text.is_empty())
}

/// Returns the HTTP status that a number is.
pub(super) fn http_status(number: i64) -> Option<u16> {
    u16::try_from(number).ok().filter(|number| is_error_status(*number))
}

/// Returns how many bytes are looked at before a body is known to be a success.
#[cfg(test)]
pub(super) fn visited(bytes: &[u8], context: Context) -> Option<usize> {
    let mut members = Members::new(bytes)?;
    collect(&mut members, context).is_none().then(|| members.visited())
}
