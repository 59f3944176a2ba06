//! A Redis that says what a test tells it to, over a Unix socket, whose bytes are there at once: in
//! paused time it takes as long as it is told, and no longer.

use std::{sync::Arc, time::Duration};

use kimi_tower::redis::RedisLink;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    time::sleep,
};

/// What is answered to each script, and after which time.
type Answer = Arc<dyn Fn() -> (Duration, String) + Send + Sync>;

pub(super) struct Scripted {
    dir: TempDir,
}

impl Scripted {
    pub(super) fn start(answer: impl Fn() -> (Duration, String) + Send + Sync + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("redis")).unwrap();
        let answer: Answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer)));
            }
        });
        Self { dir }
    }

    pub(super) fn link(&self) -> RedisLink {
        let url = format!("redis+unix://{}", self.dir.path().join("redis").display());
        RedisLink::try_new(url).unwrap()
    }
}

async fn serve(mut stream: UnixStream, answer: Answer) -> Option<()> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    loop {
        let answer = match command(&mut read).await?.as_str() {
            "EVALSHA" => {
                let (after, answer) = answer();
                sleep(after).await;
                answer
            }
            "PING" => "+PONG".to_owned(),
            _ => "+OK".to_owned(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

/// Reads a command: an array of strings, of which the first is its name.
async fn command(read: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut name = None;
    for _ in 0..length(read).await? {
        let mut word = vec![0; length(read).await? + 2];
        read.read_exact(&mut word).await.ok()?;
        name.get_or_insert(String::from_utf8(word).ok()?.trim_end().to_owned());
    }
    name
}

async fn length(read: &mut (impl AsyncBufRead + Unpin)) -> Option<usize> {
    let mut line = String::new();
    read.read_line(&mut line).await.ok()?;
    line.get(1..)?.trim_end().parse().ok()
}
