//! A wall clock of a process's own, which jumps when it is told to.
//!
//! A test that has its work done by child processes shows by it that nothing they do depends on the
//! time of day. Clocks that do not jump, by which durations are counted, stay what they are. It is
//! done by `libfaketime`, which is loaded into the child.
//!
//! ```no_run
//! use kimi_testkit::wall_clock::WallClock;
//!
//! # let mut worker = std::process::Command::new("worker");
//! // Says that the test is skipped where there is no such library.
//! let Some(clock) = WallClock::start() else { return };
//! clock.give_to(&mut worker);
//! let worker = worker.spawn().unwrap();
//! clock.jump(-3_600);
//! // In the worker itself it is `WallClock::jump_own(-3_600)`.
//! ```

use std::{
    env,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::{NamedTempFile, TempDir};

use crate::redis::REQUIRE;

/// Where the library reads by how many seconds the clock is off.
const FILE: &str = "FAKETIME_TIMESTAMP_FILE";

/// A wall clock that processes are given.
#[derive(Debug)]
pub struct WallClock {
    dir: TempDir,
    library: PathBuf,
}

impl WallClock {
    /// Makes one that is right. `None` where Debian's `libfaketime` is not installed, which it prints.
    ///
    /// # Panics
    ///
    /// If there is none and `KIMI_REQUIRE_REDIS` is 1, or if no directory can be made.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "a test that did not run says so")]
    pub fn start() -> Option<Self> {
        let Some(library) = library() else {
            let is_required = env::var_os(REQUIRE).is_some_and(|value| value == "1");
            assert!(!is_required, "libfaketime is not installed, and {REQUIRE}=1");
            eprintln!("skipped: libfaketime is not installed");
            return None;
        };
        let clock = Self { dir: tempfile::tempdir().expect("a directory can be made"), library };
        clock.jump(0);
        Some(clock)
    }

    /// Has a child process tell the time by it.
    pub fn give_to(&self, child: &mut Command) {
        child
            .env("LD_PRELOAD", &self.library)
            .env(FILE, self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }

    /// Sets by how many seconds it is off.
    ///
    /// # Panics
    ///
    /// If the file that says so cannot be written.
    pub fn jump(&self, seconds: i64) {
        write(&self.file(), seconds).expect("a file can be written");
    }

    /// Sets it from within a process that was given one. Does nothing in any other.
    ///
    /// # Panics
    ///
    /// As [`jump`](Self::jump).
    pub fn jump_own(seconds: i64) {
        if let Some(file) = env::var_os(FILE) {
            write(Path::new(&file), seconds).expect("a file can be written");
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("seconds")
    }
}

/// Whoever reads it meanwhile reads the old or the new, and never a part.
fn write(path: &Path, seconds: i64) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let file = NamedTempFile::new_in(dir)?;
    fs::write(&file, format!("{seconds:+}\n"))?;
    file.persist(path)?;
    Ok(())
}

/// Returns where Debian puts it: `/usr/lib/<machine>/faketime/libfaketimeMT.so.1`, the one for
/// processes of several threads.
fn library() -> Option<PathBuf> {
    let machines = fs::read_dir("/usr/lib").ok()?;
    let paths = machines.filter_map(Result::ok).map(|machine| machine.path());
    paths
        .map(|path| path.join(OsStr::new("faketime/libfaketimeMT.so.1")))
        .find(|path| path.exists())
}
