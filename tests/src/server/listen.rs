//! The listener and its connections.

use std::{io, net::SocketAddr, time::Duration};

use http::{Request, Version};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tower_service::Service as _;

use super::connection::Connection;
use crate::mock::{Mock, Wire};

/// How long [`MockServer::stop`] waits for answers to end. Ours: an endless body never does.
const GRACE: Duration = Duration::from_secs(1);

/// A [`Mock`] on a port of its own. Dropping it stops it.
#[derive(Debug)]
pub struct MockServer {
    addr: SocketAddr,
    stopping: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl MockServer {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// The port's, when the system has none left.
    pub async fn start(mock: Mock) -> io::Result<Self> {
        Self::bind("127.0.0.1:0", mock).await
    }

    /// Starts a server on an address; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The address is not one, or not free.
    pub async fn bind(addr: impl ToSocketAddrs, mock: Mock) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let (stopping, stop) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, mock, stop));
        Ok(Self { addr, stopping, accepting })
    }

    /// Returns the address it listens on, with the real port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns `http://` and the address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Accepts no more connections, waits up to a second for the answers on their way, and closes
    /// what is left.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        // The task ends by itself within the grace; a panic in it has been printed.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        // The task owns the connections, which end with it.
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, mock: Mock, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error is that of one connection, or of too many open files: the next
                // turn tells.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, mock.clone(), stop.clone()));
                } else {
                    tokio::task::yield_now().await;
                }
            }
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // Whatever is left after the grace is dropped with the set.
    let _ = timeout(GRACE, all_ended).await;
}

async fn serve(stream: TcpStream, mock: Mock, mut stop: watch::Receiver<bool>) {
    // Without it the second of two small chunks waits for the first one's acknowledgement.
    let _ = stream.set_nodelay(true);
    let (endings, told) = mpsc::unbounded_channel();
    let io = TokioIo::new(Connection::new(stream, told));
    let wire = Wire(endings);
    let service = service_fn(move |mut request: Request<Incoming>| {
        // On HTTP/2 a stream ends without its connection.
        if request.version() < Version::HTTP_2 {
            request.extensions_mut().insert(wire.clone());
        }
        mock.clone().call(request)
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut connection = std::pin::pin!(builder.serve_connection(io, service));
    tokio::select! {
        // Its error is the client's leaving, or the end that a step asked for.
        _ = connection.as_mut() => return,
        () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Waits until the server is stopped, or its owner is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
