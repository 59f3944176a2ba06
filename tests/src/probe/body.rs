use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::BoxError;

/// What a [`ProbeBody`] does at one poll.
#[derive(Debug)]
#[non_exhaustive]
pub enum Beat {
    /// Gives a data frame.
    Data(Bytes),
    /// Gives a trailers frame.
    Trailers(HeaderMap),
    /// Is not ready, once, and wakes the task.
    Yield,
    /// Is not ready and never will be.
    Hang,
    /// Fails.
    Fail(BoxError),
    /// Panics with this text.
    Panic(&'static str),
}

/// Where else a [`ProbeBody`] panics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Quirk {
    /// `size_hint` panics.
    PanicInSizeHint,
    /// `is_end_stream` panics.
    PanicInIsEndStream,
    /// Dropping it panics.
    PanicInDrop,
}

/// A body that follows a script and ends after it.
#[derive(Debug)]
pub struct ProbeBody {
    script: VecDeque<Beat>,
    hint: SizeHint,
    says_end: bool,
    quirk: Option<Quirk>,
    seen: BodySeen,
}

/// What was done to a [`ProbeBody`].
#[derive(Clone, Debug, Default)]
pub struct BodySeen(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    polls: AtomicUsize,
    touches_after_panic: AtomicUsize,
    panicked: AtomicBool,
    dropped: AtomicBool,
}

impl BodySeen {
    /// Returns how often the body was polled.
    #[must_use]
    pub fn polls(&self) -> usize {
        self.0.polls.load(SeqCst)
    }

    /// Returns how often the body was polled or asked after it had panicked.
    #[must_use]
    pub fn touches_after_panic(&self) -> usize {
        self.0.touches_after_panic.load(SeqCst)
    }

    /// Returns whether the body was dropped.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.0.dropped.load(SeqCst)
    }

    fn touch(&self) {
        if self.0.panicked.load(SeqCst) {
            self.0.touches_after_panic.fetch_add(1, SeqCst);
        }
    }

    fn panic(&self, message: &str) -> ! {
        self.0.panicked.store(true, SeqCst);
        panic!("{message}");
    }
}

impl ProbeBody {
    /// Creates a body that follows `script`, and says nothing of its length.
    #[must_use]
    pub fn new(script: impl IntoIterator<Item = Beat>) -> Self {
        Self {
            script: script.into_iter().collect(),
            hint: SizeHint::new(),
            says_end: false,
            quirk: None,
            seen: BodySeen::default(),
        }
    }

    /// Creates a body of no frames that says so.
    #[must_use]
    pub fn empty() -> Self {
        Self::new([]).with_size_hint(SizeHint::with_exact(0)).with_end_known()
    }

    /// Creates a body of one frame that knows its length.
    #[must_use]
    pub fn full(data: impl Into<Bytes>) -> Self {
        let data = data.into();
        let hint = SizeHint::with_exact(data.len() as u64);
        Self::new([Beat::Data(data)]).with_size_hint(hint).with_end_known()
    }

    /// Creates a body of data frames.
    #[must_use]
    pub fn chunks<T: Into<Bytes>>(chunks: impl IntoIterator<Item = T>) -> Self {
        Self::new(chunks.into_iter().map(|chunk| Beat::Data(chunk.into())))
    }

    /// Adds to the script.
    #[must_use]
    pub fn then(mut self, beat: Beat) -> Self {
        self.script.push_back(beat);
        self
    }

    /// Sets the size hint at the start; data frames are taken off it.
    #[must_use]
    pub const fn with_size_hint(mut self, hint: SizeHint) -> Self {
        self.hint = hint;
        self
    }

    /// Lets `is_end_stream` tell when the script is at its end. Default: always `false`.
    #[must_use]
    pub const fn with_end_known(mut self) -> Self {
        self.says_end = true;
        self
    }

    /// Lets the body panic elsewhere than in `poll_frame`.
    #[must_use]
    pub const fn with_quirk(mut self, quirk: Quirk) -> Self {
        self.quirk = Some(quirk);
        self
    }

    /// Returns what shows what is done to this body.
    #[must_use]
    pub fn seen(&self) -> BodySeen {
        self.seen.clone()
    }
}

impl Body for ProbeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.seen.touch();
        self.seen.0.polls.fetch_add(1, SeqCst);
        let frame = match self.script.pop_front() {
            None => None,
            Some(Beat::Data(data)) => {
                let length = data.len() as u64;
                let (lower, upper) = (self.hint.lower(), self.hint.upper());
                self.hint = SizeHint::new();
                if let Some(upper) = upper {
                    self.hint.set_upper(upper.saturating_sub(length));
                }
                self.hint.set_lower(lower.saturating_sub(length));
                Some(Ok(Frame::data(data)))
            }
            Some(Beat::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Beat::Fail(error)) => Some(Err(error)),
            Some(Beat::Panic(message)) => self.seen.panic(message),
            Some(Beat::Yield) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Beat::Hang) => {
                self.script.push_front(Beat::Hang);
                return Poll::Pending;
            }
        };
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.seen.touch();
        if self.quirk == Some(Quirk::PanicInSizeHint) {
            self.seen.panic("size_hint panics");
        }
        self.hint
    }

    fn is_end_stream(&self) -> bool {
        self.seen.touch();
        if self.quirk == Some(Quirk::PanicInIsEndStream) {
            self.seen.panic("is_end_stream panics");
        }
        self.says_end && self.script.is_empty()
    }
}

impl Drop for ProbeBody {
    fn drop(&mut self) {
        self.seen.0.dropped.store(true, SeqCst);
        // A second panic while the first unwinds would end the process.
        if self.quirk == Some(Quirk::PanicInDrop) && !std::thread::panicking() {
            panic!("drop panics");
        }
    }
}
