//! The program of the README: one route, two layers; wrong requests are refused, and every error has
//! its envelope.
//!
//! ```text
//! cargo run --bin hello
//! curl -i http://127.0.0.1:8000/v1/chat/completions -H 'content-type: application/json' -d '{}'
//! ```
//!
//! answers 400 and `{"errcode":-1001,…` with both violations; with a model and a message, and without
//! `authorization`, 401 and `{"errcode":-2002,"errmsg":"Token已失效","data":null}`.

use axum::{Extension, Router, http::HeaderMap, routing::post};
use kimi_errors::{Error, ErrorKind};
use kimi_tower::{catch_error::CatchErrorLayer, validate::ValidateLayer};
use kimi_validate::{ChatRequest, Profile};
use tower::ServiceBuilder;

async fn chat(headers: HeaderMap, chat: Extension<ChatRequest>) -> Result<String, Error> {
    if !headers.contains_key("authorization") {
        return Err(Error::new(ErrorKind::TokenExpired));
    }
    Ok(format!("你好，{} messages", chat.messages().len()))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let layers = ServiceBuilder::new()
        // Outermost: panics, wrong paths and wrong methods are answered in the envelope, too.
        .layer(CatchErrorLayer::new())
        // A wrong request is told all that is wrong with it, and `chat` is not called.
        .layer(ValidateLayer::new(Profile::article()));
    let app = Router::new().route("/v1/chat/completions", post(chat)).layer(layers);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    axum::serve(listener, app).await
}
