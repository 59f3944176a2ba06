//! A tonic server.

use http::HeaderName;
use kimi_errors::Error;
use kimi_tower::rate_limit::{Gcra, Quota, RateLimitLayer, Rule};
use kimi_tower::session::{Conversation, SessionLayer};
use kimi_tower::stack;
use tokio::net::TcpListener;
use tokio_stream::{Once, once};
use tonic::{
    Request, Response, Status,
    transport::{self, Server, server::TcpIncoming},
};

use super::generated::chat_server::{Chat, ChatServer};
use super::{Answer, Piece, Question, model::Model};

pub(crate) async fn serve(listener: TcpListener) -> Result<(), transport::Error> {
    let limit = RateLimitLayer::new(Rule::requests(Gcra::new(Quota::article())));
    let conversation = Conversation::in_field(HeaderName::from_static("x-conversation-id"));
    let layers = stack::server()
        .with_requests(limit)
        .without_validate()
        .with_session(SessionLayer::new().with_key(conversation));
    Server::builder()
        .layer(layers)
        .add_service(ChatServer::new(Assistant { model: Model::new() }))
        .serve_with_incoming(TcpIncoming::from(listener))
        .await
}

struct Assistant {
    model: Model,
}

#[tonic::async_trait]
impl Chat for Assistant {
    async fn ask(&self, request: Request<Question>) -> Result<Response<Answer>, Status> {
        let question = request.into_inner().text;
        let answer = self.model.answer(&question).await;
        let text = answer.map_err(Error::from)?;
        Ok(Response::new(Answer { text }))
    }

    type TalkStream = Once<Result<Piece, Status>>;

    async fn talk(&self, request: Request<Question>) -> Result<Response<Self::TalkStream>, Status> {
        let text = request.into_inner().text;
        Ok(Response::new(once(Ok(Piece { text }))))
    }
}
