//! No body takes long for its length: the slowest so far is told, and one beyond all measure fails.

#![expect(clippy::disallowed_types, reason = "the time that passes is what is measured")]

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use kimi_errors::{Dialect, Lang};
use kimi_validate::{ChatRequest, Profile, Violations};

/// A refusal of 32 faults takes some 100 µs in an instrumented build, a byte some 30 ns.
const MAX_REFUSAL: Duration = Duration::from_millis(5);
const MAX_PER_BYTE: Duration = Duration::from_micros(1);

/// The most nanoseconds a byte that were told. A body counts as 256 bytes at least.
static SLOWEST: AtomicU64 = AtomicU64::new(0);

/// Judges a body as a service does, refusal and all, and looks at the clock.
pub(crate) fn timed<'a>(
    body: &'a [u8],
    profile: &Profile,
) -> Result<ChatRequest<&'a [u8]>, Violations> {
    let (mut taken, verdict) = once(body, profile);
    // A tenth more at least, or each run would tell of a hundred.
    let told = SLOWEST.load(Ordering::Relaxed) * 11 / 10;
    if per_byte(taken, body) > told {
        // The fastest of many: the others waited for what else the machine does.
        taken = (0..10).map(|_| once(body, profile).0).fold(taken, Duration::min);
        let slow = per_byte(taken, body);
        if slow > told {
            SLOWEST.store(slow, Ordering::Relaxed);
            eprintln!("slowest so far: {slow} ns a byte, {} bytes in {taken:?}", body.len());
        }
        let bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let bound = MAX_REFUSAL + MAX_PER_BYTE.saturating_mul(bytes);
        assert!(taken < bound, "{} bytes took {taken:?}", body.len());
    }
    verdict
}

fn once<'a>(
    body: &'a [u8],
    profile: &Profile,
) -> (Duration, Result<ChatRequest<&'a [u8]>, Violations>) {
    let started = Instant::now();
    let verdict = ChatRequest::parse(body, profile);
    if let Err(violations) = &verdict {
        drop(Dialect::Errcode.body(&violations.clone().into_error(Lang::Zh)));
    }
    (started.elapsed(), verdict)
}

fn per_byte(taken: Duration, body: &[u8]) -> u64 {
    let nanos = u64::try_from(taken.as_nanos()).unwrap_or(u64::MAX);
    nanos / (body.len().max(256) as u64)
}
