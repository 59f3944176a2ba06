//! A binary as a process of its own, which ends with the test.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
};

/// A server that listens at a free port.
pub(crate) struct Running {
    child: Child,
    /// Read as it comes, since whoever writes into a full pipe waits.
    log: Option<JoinHandle<String>>,
    /// Where it listens: the first URL that it prints.
    pub(crate) url: String,
}

impl Running {
    pub(crate) fn start(binary: &str, args: &[&str]) -> Self {
        let mut command = Command::new(binary);
        command.args(["--listen", "127.0.0.1:0"]).args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = Vec::new();
            errors.read_to_end(&mut log).unwrap();
            String::from_utf8_lossy(&log).into_owned()
        });
        // The pipe stays open, so that what else it prints does not end it.
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let url = first.split([' ', ',']).find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("no URL in {first:?}")).trim().to_owned();
        Self { child, log: Some(log), url }
    }

    /// Sends a signal, as `kill` names it; `-INT` is what Ctrl-C sends.
    pub(crate) fn tell(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits for its end; returns its status and what it wrote to the standard error.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error says that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
