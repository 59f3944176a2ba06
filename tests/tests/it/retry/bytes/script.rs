//! Bodies that are to be compared with what comes of them.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, SizeHint};
use http_body_util::BodyExt as _;
use kimi_testkit::probe::{Beat, ProbeBody};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::paced::Paced;

/// What a body does, in a form that can be repeated.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) beats: Vec<Step>,
    pub(super) knows_length: bool,
    knows_end: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Data(Bytes),
    /// Not ready, once.
    Yield,
    /// Not ready for so many seconds.
    Sleep(u8),
    Trailers,
    Fail,
}

/// The text of every failure.
pub(super) const FAILURE: &str = "the body broke";

/// The trailers of every script that has some.
pub(super) fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    for value in ["1", "2"] {
        trailers.append("x-sum", HeaderValue::from_static(value));
    }
    trailers
}

/// How a body comes to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    Clean,
    Failed,
}

impl Script {
    pub(super) fn body(&self) -> Paced {
        let (mut beats, mut pauses) = (Vec::new(), VecDeque::new());
        let mut frames = 0;
        for step in &self.beats {
            match step {
                Step::Data(data) => beats.push(Beat::Data(data.clone())),
                Step::Yield => beats.push(Beat::Yield),
                Step::Sleep(seconds) => pauses.push_back((frames, *seconds)),
                Step::Trailers => beats.push(Beat::Trailers(trailers())),
                Step::Fail => beats.push(Beat::Fail(FAILURE.into())),
            }
            frames += usize::from(!matches!(step, Step::Yield | Step::Sleep(_)));
        }
        let mut body = ProbeBody::new(beats);
        if self.knows_length {
            body = body.with_size_hint(SizeHint::with_exact(self.length()));
        }
        Paced::new(if self.knows_end { body.with_end_known() } else { body }, pauses)
    }

    /// Whether it takes time.
    pub(super) fn is_slow(&self) -> bool {
        self.beats.iter().any(|step| matches!(step, Step::Sleep(_)))
    }

    /// All its data.
    pub(super) fn data(&self) -> Vec<u8> {
        self.frames().flatten().copied().collect()
    }

    pub(super) fn length(&self) -> u64 {
        self.frames().map(|data| data.len() as u64).sum()
    }

    pub(super) fn has_trailers(&self) -> bool {
        self.beats.iter().any(|step| matches!(step, Step::Trailers))
    }

    pub(super) fn end(&self) -> End {
        let fails = self.beats.iter().any(|step| matches!(step, Step::Fail));
        if fails { End::Failed } else { End::Clean }
    }

    fn frames(&self) -> impl Iterator<Item = &Bytes> {
        self.beats.iter().filter_map(|step| match step {
            Step::Data(data) => Some(data),
            Step::Yield | Step::Sleep(_) | Step::Trailers | Step::Fail => None,
        })
    }

    /// Reads a body and compares each of its frames, and what it says of its length before each.
    pub(super) async fn compare<B>(&self, mut body: B) -> Result<(), TestCaseError>
    where
        B: Body<Data = Bytes, Error: ToString> + Unpin,
    {
        let mut left = self.length();
        let mut frames = self.frames();
        let mut has_trailed = false;
        loop {
            let hint = body.size_hint();
            let exact = self.knows_length.then_some(left);
            prop_assert_eq!(hint.exact(), exact.or(hint.exact().filter(|_| left == 0)));
            prop_assert!(hint.lower() <= left);
            let is_end_known = body.is_end_stream();
            match body.frame().await {
                None => {
                    prop_assert_eq!((frames.next(), self.end()), (None, End::Clean));
                    prop_assert_eq!(has_trailed, self.has_trailers());
                    return Ok(());
                }
                Some(Err(error)) => {
                    prop_assert!(!is_end_known);
                    prop_assert_eq!((frames.next(), self.end()), (None, End::Failed));
                    prop_assert_eq!(error.to_string(), FAILURE);
                    return Ok(());
                }
                Some(Ok(frame)) => {
                    prop_assert!(!is_end_known);
                    match frame.into_data() {
                        Ok(data) => {
                            left -= data.len() as u64;
                            prop_assert_eq!(Some(&data), frames.next());
                        }
                        Err(frame) => {
                            prop_assert!(self.has_trailers() && left == 0);
                            has_trailed = true;
                            prop_assert_eq!(frame.into_trailers().unwrap(), trailers());
                        }
                    }
                }
            }
        }
    }
}

/// How a body comes: in which pieces, waiting in between, with which end.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pieces: Vec<(usize, Option<Step>)>,
    end: Option<Step>,
    knows: [bool; 2],
}

impl Shape {
    /// The body of this shape that has this text.
    pub(super) fn of(self, mut text: Bytes) -> Script {
        let mut beats = Vec::new();
        for (length, pause) in self.pieces {
            beats.extend(pause);
            beats.push(Step::Data(text.split_to(length.min(text.len()))));
        }
        if !text.is_empty() {
            beats.push(Step::Data(text));
        }
        beats.extend(self.end);
        Script { beats, knows_length: self.knows[0], knows_end: self.knows[1] }
    }
}

/// Any shape. Of 20 bodies `fails` fail.
pub(super) fn shape(fails: u32) -> impl Strategy<Value = Shape> {
    let end = prop_oneof![
        16 - fails => Just(None),
        4 => Just(Some(Step::Trailers)),
        fails => Just(Some(Step::Fail)),
    ];
    let pause = prop_oneof![4 => Just(Step::Yield), 1 => (1..25u8).prop_map(Step::Sleep)];
    let pieces = vec((0..40usize, option::of(pause)), 1..8);
    let pieces = prop_oneof![1 => Just(vec![]), 3 => pieces];
    (pieces, end, any::<[bool; 2]>()).prop_map(|(pieces, end, knows)| Shape { pieces, end, knows })
}

/// Bytes of which each says where it stands.
pub(super) fn any_bytes() -> impl Strategy<Value = Bytes> {
    let length = prop_oneof![8 => 0..200usize, 1 => select(vec![1_023, 1_024, 5_000])];
    length.prop_map(|length| (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect())
}
