//! The routes, and the answers of those that are no chat.

use std::time::Duration;

use http::{HeaderValue, Method, StatusCode, header};
use kimi_errors::{Error, ErrorKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{answer::Answer, tokens::Tokens};

/// What a path is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Route {
    Chat,
    Models,
    Token,
    TokenCheck,
    Ping,
}

impl Route {
    /// Returns the route of a request.
    pub(super) fn find(method: &Method, path: &str) -> Result<Self, Error> {
        let (route, allowed) = match path {
            // The article's examples call it `/api/chat`.
            "/v1/chat/completions" | "/api/chat" => (Self::Chat, Method::POST),
            "/v1/models" => (Self::Models, Method::GET),
            "/api/token" => (Self::Token, Method::POST),
            "/token/check" => (Self::TokenCheck, Method::POST),
            "/ping" => (Self::Ping, Method::GET),
            _ => return Err(Error::new(ErrorKind::RouteNotFound)),
        };
        // RFC 9110 §9.1: whoever answers GET answers HEAD.
        let is_head = *method == Method::HEAD && allowed == Method::GET;
        if *method == allowed || is_head {
            return Ok(route);
        }
        let value = if allowed == Method::GET { "GET, HEAD" } else { "POST" };
        let error = Error::new(ErrorKind::MethodNotAllowed);
        Err(error.with_header(header::ALLOW, HeaderValue::from_static(value)))
    }

    /// Returns whether a request must have a good token.
    pub(super) fn needs_auth(self) -> bool {
        match self {
            Self::Chat | Self::Models => true,
            Self::Token | Self::TokenCheck | Self::Ping => false,
        }
    }
}

pub(super) fn models() -> Answer {
    let models = ["kimi-k3", "kimi-k2.7-code", "kimi-k2.6", "kimi"].map(
        |id| json!({"id": id, "object": "model", "created": 1_710_000_000, "owned_by": "moonshot"}),
    );
    Answer::json(json!({"object": "list", "data": models}).to_string())
}

pub(super) fn token(tokens: &mut Tokens, now: Instant, lifetime: Duration) -> Answer {
    let body = format!(r#"{{"errcode":0,"data":{{"token":"{}"}}}}"#, tokens.issue(now, lifetime));
    Answer::json(body)
}

pub(super) fn token_check(tokens: &Tokens, now: Instant, body: Option<&Value>) -> Answer {
    let token = body.and_then(|body| body["token"].as_str()).unwrap_or_default();
    Answer::json(json!({"live": !token.is_empty() && tokens.is_live(token, now)}).to_string())
}

pub(super) fn ping() -> Answer {
    Answer::new(StatusCode::OK, "text/plain", b"pong".to_vec())
}
