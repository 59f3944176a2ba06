//! A `redis-server` of a test's own, on a free port of loopback.
//!
//! It keeps nothing on disk, so that after [`RedisServer::kill`] and [`RedisServer::restart`] it has
//! forgotten everything. It ends when it is dropped.
//!
//! ```no_run
//! use kimi_testkit::redis::RedisServer;
//!
//! // Says that the test is skipped where there is none on the PATH.
//! let Some(mut redis) = RedisServer::start() else { return };
//! redis.freeze();
//! // It holds its connections, and answers nothing.
//! redis.thaw();
//! redis.kill();
//! redis.restart();
//! ```

use std::{
    env,
    ffi::OsString,
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Which program it is, and what else is looked for on the PATH.
const PROGRAM: &str = "KIMI_REDIS_SERVER";
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// Where it must not be missing.
pub(crate) const REQUIRE: &str = "KIMI_REQUIRE_REDIS";

/// How often is looked whether it listens, and how many times: 10 s in all.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS: u32 = 2_000;

/// A running `redis-server`, or `valkey-server`.
#[derive(Debug)]
pub struct RedisServer {
    program: OsString,
    /// Beside those that each has.
    settings: Vec<OsString>,
    port: u16,
    dir: TempDir,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one and waits until it listens. It is the program that `KIMI_REDIS_SERVER` names, or the
    /// `redis-server`, or else the `valkey-server`, on the PATH. `None` where there is none, which it
    /// prints.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or if there is none and `KIMI_REQUIRE_REDIS` is 1.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(|_| Vec::<OsString>::new())
    }

    /// As [`start`](Self::start), with more settings: the words that it is started with. They are told
    /// the directory it runs in, in which files can be put before.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_with<I>(settings: impl Fn(&Path) -> I) -> Option<Self>
    where
        I: IntoIterator<Item: Into<OsString>>,
    {
        let program = program()?;
        // Somebody may take a port before it does: then another is tried.
        for _ in 0..20 {
            let dir = tempfile::tempdir().expect("a directory can be made");
            let mut server = Self {
                program: program.clone(),
                settings: settings(dir.path()).into_iter().map(Into::into).collect(),
                port: free_port().expect("a port is free"),
                dir,
                child: None,
            };
            if server.try_run() {
                return Some(server);
            }
        }
        panic!("{program:?} does not start")
    }

    /// Returns the directory it runs in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Returns its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once, as a crash does: what it has in memory is gone. Its port stays its own.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // One that is frozen is killed, too; one that has ended cannot be.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it where it is (`SIGSTOP`): its connections stay, and nothing is answered.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on (`SIGCONT`).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts it again on its port, with nothing in its memory, and waits until it listens.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.try_run(), "redis-server does not start again");
    }

    fn signal(&self, signal: Signal) {
        let Some(child) = &self.child else { return };
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            // It cannot be another's: it is ours until it is waited for.
            let _ = kill_process(pid, signal);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "it is waited for a process, not in a runtime")]
    fn try_run(&mut self) -> bool {
        let port = self.port.to_string();
        let settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port];
        let child = Command::new(&self.program)
            .args(settings)
            .args(&self.settings)
            .arg("--dir")
            .arg(self.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.expect("it has said its version");
        for _ in 0..LOOKS {
            if !matches!(child.try_wait(), Ok(None)) {
                return false;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                self.child = Some(child);
                return true;
            }
            thread::sleep(LOOK);
        }
        let _ = child.kill();
        let _ = child.wait();
        false
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
fn program() -> Option<OsString> {
    let named = env::var_os(PROGRAM);
    let programs = match named {
        Some(named) => vec![named],
        None => PROGRAMS.map(OsString::from).to_vec(),
    };
    let is_there = |program: &OsString| {
        let version = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    if let Some(found) = programs.iter().find(|program| is_there(program)) {
        return Some(found.clone());
    }
    let is_required = env::var_os(REQUIRE).is_some_and(|value| value == "1");
    assert!(!is_required, "there is none of {programs:?}, and {REQUIRE}=1");
    eprintln!("skipped: there is none of {programs:?}");
    None
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
