//! A client that asks again and again, by one connection as long as it holds.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    Length,
    fault::{End, Fault},
    gateway::Gateway,
    log::Log,
};

/// Nothing here takes a tenth of it, however slow the machine.
const HANGS: Duration = Duration::from_secs(120);

pub(crate) struct Client {
    address: SocketAddr,
    log: Log,
    run: u64,
    number: usize,
    session: String,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub(crate) fn new(gateway: &Gateway, run: u64, number: usize, session: String) -> Self {
        let (address, log) = (gateway.address(), gateway.log().clone());
        Self { address, log, run, number, session, connection: None }
    }

    /// Asks until it is over, and returns the id of each request, and how it ended.
    pub(crate) async fn ask(mut self, length: Length) -> Vec<(String, Fault, End)> {
        let (mut asked, since) = (Vec::new(), Instant::now());
        while !length.is_over(asked.len() as u64, since) {
            let fault = Fault::of(self.number, asked.len() as u64);
            let id = format!("e-{}-{}-{}", self.run, self.number, asked.len());
            let end = timeout(HANGS, self.once(&id, fault)).await;
            let end = end.unwrap_or_else(|_| panic!("{id} hangs, with {fault:?}"));
            assert!(fault.allows(end), "{id}, with {fault:?}, ended as {end:?}");
            asked.push((id, fault, end));
        }
        asked
    }

    async fn once(&mut self, id: &str, fault: Fault) -> End {
        let request = self.request(id, fault);
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_ready() => connection,
            _ => connect(self.address).await,
        };
        connection.ready().await.unwrap();
        let started = self.log.start_of(id);
        let answer = connection.send_request(request);
        if fault == Fault::LeavesEarly {
            // Once the gateway knows of it, which waits for its turn if others are before it.
            tokio::select! {
                answer = answer => drop(answer.unwrap()),
                started = started => started.unwrap(),
            }
            return End::Left;
        }
        let Ok(answer) = answer.await else { return End::Broken };
        let end = read(answer, fault).await;
        if end != End::Left {
            self.connection = Some(connection);
        }
        end
    }

    fn request(&self, id: &str, fault: Fault) -> Request<Full<Bytes>> {
        let role = if fault == Fault::Invalid { "robot" } else { "user" };
        let body = json!({
            "model": "kimi-k3", "stream": true, "conversation_id": self.session,
            "messages": [{ "role": role, "content": "你好，请讲一个长长的故事" }],
        });
        Request::post("/v1/chat/completions")
            .header("host", "gateway")
            .header("authorization", format!("Bearer sk-{}", self.session))
            .header("content-type", "application/json")
            .header("x-request-id", id)
            .header("x-mock-step", fault.step())
            .body(Full::from(body.to_string()))
            .unwrap()
    }
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    // Ends when the sender and the body that is read are gone.
    tokio::spawn(connection);
    sender
}

async fn read(answer: Response<Incoming>, fault: Fault) -> End {
    let status = answer.status();
    let (mut body, mut text, mut frames) = (answer.into_body(), Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return End::Broken };
        text.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
        frames += 1;
        if fault == Fault::LeavesLate && frames == 3 {
            return End::Left;
        }
    }
    let text = String::from_utf8_lossy(&text);
    let last = text.trim_end().rsplit("\n\n").next().unwrap_or_default();
    match status.as_u16() {
        200 if last == "data: [DONE]" => End::Whole,
        200 if last.contains("\"error\"") || last.contains("\"errcode\"") => End::ErrorEvent,
        200 => End::Broken,
        status => End::Status(status),
    }
}
