//! What goes wrong with a request, and how it may end then.

use self::Fault::*;

/// Who errs, and when. Of twenty requests eight go well.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fault {
    None,
    /// Breaks the rules of a chat.
    Invalid,
    /// The upstream answers an error, however often it is asked.
    Refused,
    /// The same, as the first event of a stream.
    RefusedByEvent,
    /// The upstream has no head within the time that it is given.
    Silent,
    /// No HTTP body that anybody could read.
    Garbage,
    /// An event amid the stream.
    ErrorEvent,
    /// The upstream's connection ends amid the stream.
    Cut,
    /// The same, abortively.
    Reset,
    /// A stream without `[DONE]`.
    NoDone,
    /// The client leaves before it has an answer: while it waits for its turn, if there is a line.
    LeavesEarly,
    /// The client leaves amid a stream that would never end.
    LeavesLate,
}

/// How a request ended, as the client sees it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum End {
    /// Up to `[DONE]`.
    Whole,
    /// An error that is no stream.
    Status(u16),
    /// The stream's last event is an error.
    ErrorEvent,
    /// The client did not wait for it.
    Left,
    /// Without any end.
    Broken,
}

const ALL: [Fault; 20] = [
    None,
    Invalid,
    None,
    Refused,
    ErrorEvent,
    None,
    Cut,
    LeavesLate,
    None,
    RefusedByEvent,
    None,
    LeavesEarly,
    Reset,
    None,
    Silent,
    NoDone,
    None,
    Garbage,
    LeavesEarly,
    None,
];

impl Fault {
    /// Returns that of a client's nth request: each client has them all, and each in another order.
    pub(crate) fn of(client: usize, request: u64) -> Self {
        let step = 1 + 2 * (client / ALL.len() % 2) as u64;
        ALL[(client + usize::try_from(request * step).unwrap()) % ALL.len()]
    }

    /// Returns what the scripted upstream is told, as a step of a script.
    pub(crate) const fn step(self) -> &'static str {
        match self {
            None | Invalid | LeavesEarly => r#"{"delay_chunk_ms": 20}"#,
            Refused => r#"{"fault": "errcode.system", "delay_head_ms": 20}"#,
            RefusedByEvent => r#"{"sse_error": {"after_chunks": 0, "fault": "plat.overloaded"}}"#,
            Silent => r#"{"delay_head_ms": 60000}"#,
            Garbage => r#"{"garbage": {"bytes": 2000, "seed": 7}}"#,
            ErrorEvent => {
                r#"{"delay_chunk_ms": 20, "sse_error": {"after_chunks": 3, "fault": "plat.overloaded"}}"#
            }
            Cut => r#"{"delay_chunk_ms": 20, "cut_at": 700}"#,
            Reset => r#"{"delay_chunk_ms": 20, "reset_at": 700}"#,
            NoDone => r#"{"delay_chunk_ms": 20, "no_done": true}"#,
            LeavesLate => r#"{"delay_chunk_ms": 20, "endless": true}"#,
        }
    }

    /// Tells whether a request with this fault may end so.
    pub(crate) const fn allows(self, end: End) -> bool {
        match self {
            None => matches!(end, End::Whole),
            Invalid => matches!(end, End::Status(400)),
            Refused => matches!(end, End::Status(500)),
            RefusedByEvent => matches!(end, End::Status(429)),
            Silent => matches!(end, End::Status(504)),
            Garbage => matches!(end, End::Status(500 | 502)),
            // What was read before a connection broke may be lost with it.
            Reset => matches!(end, End::ErrorEvent | End::Status(500 | 502)),
            ErrorEvent | Cut | NoDone => matches!(end, End::ErrorEvent),
            LeavesEarly | LeavesLate => matches!(end, End::Left),
        }
    }
}
