//! The gateway's log, of which the ids are kept.

use std::{
    collections::HashMap,
    io::{self, Write},
    sync::Arc,
};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{oneshot, watch};

/// Counts the lines of each request: one of its start, one of its end.
#[derive(Clone)]
pub(crate) struct Log {
    lines: Arc<Mutex<Lines>>,
    /// How many ends there are.
    ends: watch::Sender<usize>,
}

#[derive(Default)]
struct Lines {
    /// How often each request began, and ended.
    of: HashMap<String, (u64, u64)>,
    /// Who waits for a request to begin.
    awaited: HashMap<String, oneshot::Sender<()>>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { lines: Arc::default(), ends: watch::channel(0).0 }
    }

    /// Returns what is ready when the request has begun.
    pub(crate) fn start_of(&self, id: &str) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.lines.lock().awaited.insert(id.to_owned(), sender);
        receiver
    }

    /// Waits until so many requests have ended, takes the lines, and returns how many each has.
    pub(crate) async fn take(&self, ends: usize) -> HashMap<String, (u64, u64)> {
        self.ends.subscribe().wait_for(|count| *count >= ends).await.unwrap();
        self.ends.send_replace(0);
        std::mem::take(&mut self.lines.lock().of)
    }
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // One write is one line, as the observer promises.
        let fields: Value = serde_json::from_slice(line)?;
        let id = fields["kimi.request.id"].as_str().unwrap().to_owned();
        let is_end = fields["message"] == "request";
        let mut lines = self.lines.lock();
        let waiting = lines.awaited.remove(&id);
        let (starts, ends) = lines.of.entry(id).or_default();
        *if is_end { ends } else { starts } += 1;
        drop(lines);
        if let Some(waiting) = waiting {
            // Who waited may have given up.
            let _ = waiting.send(());
        }
        if is_end {
            self.ends.send_modify(|count| *count += 1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
