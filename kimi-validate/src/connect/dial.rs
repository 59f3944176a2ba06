use std::{io, net::SocketAddr};

use tokio::net::TcpStream;

/// Opens a connection to an address.
pub trait Dial {
    /// The connection.
    type Stream;

    /// Returns the connection, and the address of its other end as the connection has it.
    fn dial(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;
}

/// Dials over TCP.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TcpDialer;

impl TcpDialer {
    /// Creates the dialer.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Dial for TcpDialer {
    type Stream = TcpStream;

    async fn dial(&self, address: SocketAddr) -> io::Result<(TcpStream, SocketAddr)> {
        let stream = TcpStream::connect(address).await?;
        // Heads are small and are waited for.
        stream.set_nodelay(true)?;
        let peer = stream.peer_addr()?;
        Ok((stream, peer))
    }
}
