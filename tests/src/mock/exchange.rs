//! One request, from its call to its answer.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, request};
use http_body::Body;
use http_body_util::BodyExt as _;
use kimi_errors::{Error, ErrorKind};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    MockBody, Recorded, Wire,
    answer::Answer,
    chat::Chat,
    presence::Presence,
    recorded,
    route::{self, Route},
    service::Config,
    state::State,
};
use crate::script::{Asked, Fault, Step};

/// What one request needs of the mock.
#[derive(Debug)]
pub(super) struct Exchange {
    config: Config,
    state: Arc<State>,
    presence: Presence,
}

impl Exchange {
    pub(super) fn new(config: Config, state: Arc<State>, presence: Presence) -> Self {
        Self { config, state, presence }
    }

    pub(super) async fn run<B>(mut self, request: Request<B>) -> Response<MockBody>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (mut head, body) = request.into_parts();
        recorded::mark_secrets(&mut head.headers);
        let wire = head.extensions.remove::<Wire>();
        let (body, broken) = read(body, self.config.max_body_bytes).await;

        let json: Option<Value> = serde_json::from_slice(&body).ok();
        let asked = asked(&head, json.as_ref());
        let overlap = asked.conversation.map_or(0, |name| self.presence.join(name));
        let number = self.record(&head, body, overlap);

        let (step, answer) = match self.step(&head.headers, &asked) {
            Ok(step) => {
                let answer = self.answer(&head, &asked, json.as_ref(), broken, &step, number);
                (step, answer)
            }
            Err(error) => (Step::ok(), Err(error)),
        };
        let dialect = self.config.dialect;
        let mut answer = answer.unwrap_or_else(|error| Answer::of_error(dialect.response(&error)));
        if head.method == Method::HEAD {
            answer = answer.without_body();
        }

        if let Some(delay) = step.delay_head_ms {
            sleep(Duration::from_millis(delay)).await;
        }
        answer.disturbed(&step, self.presence, wire)
    }

    fn record(&self, head: &request::Parts, body: Bytes, overlap: usize) -> u64 {
        let request = Recorded {
            method: head.method.clone(),
            uri: head.uri.clone(),
            headers: head.headers.clone(),
            body,
            at: Instant::now(),
            overlap,
        };
        self.state.record(request, self.config.history)
    }

    /// Returns the step for this request: from its head, from the script, or the default.
    fn step(&self, headers: &HeaderMap, asked: &Asked<'_>) -> Result<Step, Error> {
        let wrong = |message: String| Error::new(ErrorKind::Validation).with_message(message);
        let field = |name| {
            let value: Option<&http::HeaderValue> = headers.get(name);
            value.map(|value| String::from_utf8_lossy(value.as_bytes()))
        };
        let (name, step) = match (field("x-mock-step"), field("x-mock-fault")) {
            (None, None) => return Ok(self.state.take(asked).unwrap_or_default()),
            (Some(_), Some(_)) => {
                return Err(wrong("x-mock-step excludes x-mock-fault".to_owned()));
            }
            (Some(json), None) => ("x-mock-step", Step::from_json(&json)),
            (None, Some(id)) => ("x-mock-fault", Step::fault(id).checked()),
        };
        let step = step.map_err(|error| wrong(format!("{name}: {error}")))?;
        if step.needs_stream() && !asked.stream {
            return Err(wrong(format!("{name}: needs a chat request with \"stream\": true")));
        }
        Ok(step)
    }

    /// Returns the answer before it is disturbed.
    fn answer(
        &mut self,
        head: &request::Parts,
        asked: &Asked<'_>,
        json: Option<&Value>,
        broken: Option<Error>,
        step: &Step,
        number: u64,
    ) -> Result<Answer, Error> {
        if let Some(fault) = step.fault.as_deref().and_then(Fault::find) {
            self.presence.hold();
            return Ok(Answer::of_fault(fault.answer_to(asked)));
        }
        if let Some(kind) = step.kind.as_deref().and_then(ErrorKind::from_name) {
            self.presence.hold();
            return Err(Error::new(kind));
        }
        if let Some(raw) = &step.raw {
            self.presence.hold();
            return Ok(Answer::of_raw(raw));
        }
        let route = Route::find(&head.method, head.uri.path())?;
        let now = Instant::now();
        if self.config.needs_auth && route.needs_auth() {
            self.state.tokens.lock().check(&head.headers, now)?;
        }
        if let Some(error) = broken {
            return Err(error);
        }
        let tokens = &self.state.tokens;
        match route {
            Route::Models => Ok(route::models()),
            Route::Token => Ok(route::token(&mut tokens.lock(), now, self.config.token_lifetime)),
            Route::TokenCheck => Ok(route::token_check(&tokens.lock(), now, json)),
            Route::Ping => Ok(route::ping()),
            Route::Chat => {
                let chat = Chat::read(json, asked.conversation)?;
                if !self.presence.hold() {
                    return Err(Error::new(ErrorKind::StreamBusy));
                }
                Ok(chat.answer(self.config.style, self.config.dialect, step, number))
            }
        }
    }
}

/// Reads a body up to the limit. What is wrong with it comes beside what was read.
async fn read<B>(body: B, max_bytes: usize) -> (Bytes, Option<Error>)
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let too_large = || Some(Error::new(ErrorKind::PayloadTooLarge));
    if body.size_hint().lower() > max_bytes as u64 {
        return (Bytes::new(), too_large());
    }
    let mut body = std::pin::pin!(body);
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) if read.len() + data.len() > max_bytes => {
                return (read.freeze(), too_large());
            }
            Ok(Ok(data)) => read.extend_from_slice(&data),
            // Trailers say nothing to us.
            Ok(Err(_)) => {}
            Err(_) => {
                let error = Error::new(ErrorKind::Validation).with_message("请求体未完整到达");
                return (read.freeze(), Some(error));
            }
        }
    }
    (read.freeze(), None)
}

fn asked<'a>(head: &'a request::Parts, json: Option<&'a Value>) -> Asked<'a> {
    let string = |name| json.and_then(|json| json.get(name)).and_then(Value::as_str);
    let header = head.headers.get("x-conversation-id").and_then(|value| value.to_str().ok());
    let is_chat =
        Route::find(&head.method, head.uri.path()).is_ok_and(|route| route == Route::Chat);
    let conversation = string("conversation_id").or(header).filter(|id| !id.is_empty());
    let stream = json.and_then(|json| json.get("stream")).and_then(Value::as_bool);
    Asked {
        method: head.method.as_str(),
        path: head.uri.path(),
        model: string("model"),
        conversation: conversation.filter(|_| is_chat),
        stream: is_chat && stream == Some(true),
    }
}
