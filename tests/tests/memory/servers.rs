//! Servers that want more memory of who asks than they should have.

use std::{
    convert::Infallible,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    pin::Pin,
    task::{Context, Poll},
    thread,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{runtime, task::LocalSet};

const ZEROS: &[u8] = &[0; 16 * 1024];

/// Refuses `HEAD`, and answers `GET` like this.
#[derive(Clone, Copy, Debug)]
pub(super) enum Server {
    /// Without a length and without an end.
    Endless,
    /// With a field of 400 KB.
    LongHead,
    /// With 20 000 bytes, each in a chunk and, as far as the system lets it, in a packet of its own.
    Drip,
    /// Like `Endless`.
    EndlessHttp2,
}

impl Server {
    /// Returns its port. It ends with the process.
    pub(super) fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                // Whoever asked goes away at some time.
                let _gone = match self {
                    Self::EndlessHttp2 => serve_http2(stream),
                    _ => self.serve(stream),
                };
            }
        });
        port
    }

    fn serve(self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        if head.starts_with(b"HEAD") {
            return stream.write_all(b"HTTP/1.1 405 No\r\nconnection: close\r\n\r\n");
        }
        stream.write_all(
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/pdf\r\n",
        )?;
        match self {
            Self::Endless | Self::EndlessHttp2 => {
                stream.write_all(b"\r\n")?;
                loop {
                    stream.write_all(ZEROS)?;
                }
            }
            Self::LongHead => {
                stream.write_all(b"x-field: ")?;
                stream.write_all(&[b'a'; 400_000])?;
                stream.write_all(b"\r\ncontent-length: 1\r\n\r\na")
            }
            Self::Drip => {
                stream.write_all(b"transfer-encoding: chunked\r\n\r\n")?;
                for _ in 0..20_000 {
                    stream.write_all(b"1\r\na\r\n")?;
                }
                stream.write_all(b"0\r\n\r\n")
            }
        }
    }
}

fn serve_http2(stream: TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream)?);
        let service = service_fn(|asked: Request<Incoming>| async move {
            let (status, body) = match *asked.method() {
                Method::GET => (StatusCode::OK, Zeros { is_over: false }),
                _ => (StatusCode::METHOD_NOT_ALLOWED, Zeros { is_over: true }),
            };
            let answer =
                Response::builder().status(status).header("content-type", "application/pdf");
            Ok::<_, Infallible>(answer.body(body).unwrap())
        });
        let connection =
            http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service);
        connection.await.map_err(io::Error::other)
    })
}

struct Zeros {
    is_over: bool,
}

impl Body for Zeros {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = Frame::data(Bytes::from_static(ZEROS));
        Poll::Ready((!self.is_over).then_some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
