//! When a server is told to end.

use std::io;

/// Is ready when somebody presses Ctrl-C, or the process is told to end, as by whoever runs it in a
/// container.
///
/// # Errors
///
/// No signal can be had.
pub async fn told_to_end() -> io::Result<()> {
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        terminated = terminated() => terminated,
    }
}

#[cfg(unix)]
async fn terminated() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn terminated() -> io::Result<()> {
    std::future::pending().await
}
