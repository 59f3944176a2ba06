//! The program of the README: one route, one layer, and every error has its envelope.
//!
//! ```text
//! cargo run --bin hello
//! curl -i -X POST http://127.0.0.1:8000/v1/chat/completions
//! ```
//!
//! answers 401 and `{"errcode":-2002,"errmsg":"Token已失效","data":null}`.

use axum::{Router, http::HeaderMap, routing::post};
use kimi_errors::{Error, ErrorKind};
use kimi_tower::catch_error::CatchErrorLayer;

async fn chat(headers: HeaderMap) -> Result<&'static str, Error> {
    if !headers.contains_key("authorization") {
        return Err(Error::new(ErrorKind::TokenExpired));
    }
    Ok("你好")
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/v1/chat/completions", post(chat))
        // Outermost: panics, wrong paths and wrong methods are answered in the envelope, too.
        .layer(CatchErrorLayer::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    axum::serve(listener, app).await
}
