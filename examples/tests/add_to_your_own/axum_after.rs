//! An axum router with state and extractors.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use kimi_errors::{Error, ErrorKind};
use kimi_tower::rate_limit::{Gcra, Quota, RateLimitLayer, Rule};
use kimi_tower::stack;
use serde_json::{Value, json};

use super::model::Model;

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) model: Model,
}

pub(crate) fn router(app: App) -> Router {
    let limit = RateLimitLayer::new(Rule::requests(Gcra::new(Quota::article())));
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/models/{id}", get(show))
        .with_state(app)
        .layer(stack::server().with_requests(limit))
}

async fn chat(State(app): State<App>, Json(chat): Json<Value>) -> Result<Json<Value>, Error> {
    let question = chat["messages"][0]["content"].as_str().unwrap_or_default();
    let answer = app.model.answer(question).await?;
    Ok(Json(json!({ "choices": [{ "message": { "content": answer } }] })))
}

async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Error> {
    let context_length = app.model.context_length(&id).ok_or(ErrorKind::NotFound)?;
    Ok(Json(json!({ "id": id, "context_length": context_length })))
}
