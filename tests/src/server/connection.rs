//! A TCP stream that an answer can end in ways in which hyper would not.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::mpsc::UnboundedReceiver,
};

use crate::mock::Ending;

/// The stream of one connection.
///
/// hyper flushes when it has handed over all that it has to send, and only then does an ending
/// come into force: bytes that a body has handed out before are on their way by then.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    told: UnboundedReceiver<Ending>,
    ending: Option<Ending>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, told: UnboundedReceiver<Ending>) -> Self {
        Self { stream, told, ending: None }
    }

    /// Notes what the answer has said since. Wakes the connection when it says something later.
    fn listen(&mut self, cx: &mut Context<'_>) {
        if self.ending.is_none()
            && let Poll::Ready(Some(ending)) = self.told.poll_recv(cx)
        {
            self.ending = Some(ending);
        }
    }

    /// Ends the connection: from here on hyper sees an error, gives up and drops the stream.
    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.ending {
            None => Poll::Ready(Ok(())),
            Some(Ending::Close(excess)) => {
                ready!(poll_write_all(&mut self.stream, cx, excess))?;
                ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "the script cuts here")))
            }
            Some(Ending::Reset) => {
                // With no time to linger, closing sends RST in place of FIN.
                self.stream.set_zero_linger()?;
                let reason = "the script resets here";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, reason)))
            }
        }
    }
}

fn poll_write_all(
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    bytes: &mut Bytes,
) -> Poll<io::Result<()>> {
    while !bytes.is_empty() {
        let written = ready!(Pin::new(&mut *stream).poll_write(cx, bytes))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        bytes.advance(written);
    }
    Poll::Ready(Ok(()))
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.listen(cx);
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.listen(cx);
        self.poll_ending(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.listen(cx);
        ready!(self.poll_ending(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
