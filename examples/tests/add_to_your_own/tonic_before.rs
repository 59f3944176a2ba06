//! A tonic server.

use tokio::net::TcpListener;
use tokio_stream::{Once, once};
use tonic::{
    Request, Response, Status,
    transport::{self, Server, server::TcpIncoming},
};

use super::generated::chat_server::{Chat, ChatServer};
use super::{Answer, Piece, Question, model::Model};

pub(crate) async fn serve(listener: TcpListener) -> Result<(), transport::Error> {
    Server::builder()
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
        let text = answer.map_err(|_| Status::internal("internal error"))?;
        Ok(Response::new(Answer { text }))
    }

    type TalkStream = Once<Result<Piece, Status>>;

    async fn talk(&self, request: Request<Question>) -> Result<Response<Self::TalkStream>, Status> {
        let text = request.into_inner().text;
        Ok(Response::new(once(Ok(Piece { text }))))
    }
}
