//! The services and the application of `docs/add-to-your-own.md`, before and after.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod a_reqwest_application;
mod a_tonic_server;
mod an_axum_router;
mod axum_after;
mod axum_before;
mod document;
mod model;
mod reqwest_after;
mod reqwest_before;
mod tonic_after;
mod tonic_before;

/// What `build.rs` has written.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    unused_qualifications,
    reason = "it is written as for any program"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/kimi.v1.Chat.rs"));
}

#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Piece {
    #[prost(string, tag = "1")]
    text: String,
}

async fn listen() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}
