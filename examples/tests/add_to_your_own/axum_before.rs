//! An axum router with state and extractors.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::model::Model;

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) model: Model,
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/models/{id}", get(show))
        .with_state(app)
}

async fn chat(State(app): State<App>, Json(chat): Json<Value>) -> Result<Json<Value>, StatusCode> {
    let question = chat["messages"][0]["content"].as_str().unwrap_or_default();
    let answer = app.model.answer(question).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(json!({ "choices": [{ "message": { "content": answer } }] })))
}

async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    let context_length = app.model.context_length(&id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({ "id": id, "context_length": context_length })))
}
