//! A path to Redis on which subscriptions may fall silent, or everything: packets vanish, and nobody
//! is told.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

/// Forwards connections to a Redis. Ends when it is dropped.
pub(super) struct Proxy {
    url: String,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// How many connections have asked to hear.
    subscriptions: AtomicU64,
    /// Of those, how many of the first hear nothing any more.
    silenced: AtomicU64,
    is_cut: AtomicBool,
}

impl Proxy {
    pub(super) async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let which = Arc::new(AtomicU64::new(0));
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(Arc::clone(&shared).ask(from_client, to_server, Arc::clone(&which)));
                tokio::spawn(Arc::clone(&shared).answer(from_server, to_client, which));
            }
        });
        Self { url, state, accepting }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// How many connections have asked to hear.
    pub(super) fn subscriptions(&self) -> u64 {
        self.state.subscriptions.load(Relaxed)
    }

    /// Lets those that hear now hear nothing any more.
    pub(super) fn silence(&self) {
        self.state.silenced.store(self.subscriptions(), Relaxed);
    }

    /// Lets nobody hear anything any more.
    pub(super) fn silence_all(&self) {
        self.state.silenced.store(u64::MAX, Relaxed);
    }

    /// Lets nothing through any more, either way.
    pub(super) fn cut(&self) {
        self.state.is_cut.store(true, Relaxed);
    }

    /// Lets through what comes from now on.
    pub(super) fn mend(&self) {
        self.state.is_cut.store(false, Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl State {
    async fn ask(
        self: Arc<Self>,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        which: Arc<AtomicU64>,
    ) {
        let mut bytes = [0; 4096];
        while let Ok(len @ 1..) = from.read(&mut bytes).await {
            // It is sent in one piece, as the first that is asked for after the greeting.
            if bytes[..len].windows(9).any(|it| it.eq_ignore_ascii_case(b"SUBSCRIBE")) {
                which.store(self.subscriptions.fetch_add(1, Relaxed) + 1, Relaxed);
            }
            let is_cut = self.is_cut.load(Relaxed);
            if !is_cut && to.write_all(&bytes[..len]).await.is_err() {
                return;
            }
        }
    }

    async fn answer(
        self: Arc<Self>,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        which: Arc<AtomicU64>,
    ) {
        let mut bytes = [0; 4096];
        while let Ok(len @ 1..) = from.read(&mut bytes).await {
            let is_silent = self.is_cut.load(Relaxed)
                || (1..=self.silenced.load(Relaxed)).contains(&which.load(Relaxed));
            if !is_silent && to.write_all(&bytes[..len]).await.is_err() {
                return;
            }
        }
    }
}
