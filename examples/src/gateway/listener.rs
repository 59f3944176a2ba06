//! The port of a gateway.

use std::{io, net::SocketAddr};

use axum::serve::{Listener, ListenerExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Listens at an address for [`axum::serve()`]; port 0 takes a free one.
///
/// # Errors
///
/// The address is not ours, or not free.
pub async fn listen(
    address: SocketAddr,
) -> io::Result<impl Listener<Io = TcpStream, Addr = SocketAddr>> {
    let listener = TcpListener::bind(address).await?;
    Ok(listener.tap_io(|stream| {
        // Without it each event of a stream waits until the one before is acknowledged, for which
        // the other side takes 40 ms and more. A socket that refuses is gone, or works without.
        let _ = stream.set_nodelay(true);
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_event_waits_for_the_one_before() {
        let mut listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let connected = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, from) = listener.accept().await;
        assert_eq!(from, connected.local_addr().unwrap());
        assert!(accepted.nodelay().unwrap());
    }
}
