//! What there is to say of one request.

use std::{borrow::Cow, fmt, time::Duration, time::SystemTime};

use http::{Method, StatusCode, Version, uri::Authority};
use kimi_errors::{Error, ErrorKind};

use super::{FinishReason, Outcome, TraceParent};
use crate::facts::Facts;

/// On which side of the wire a log is kept.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Side {
    /// The requests are answered here.
    #[default]
    Server,
    /// The requests are sent from here.
    Client,
}

/// What is known of a request when it comes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Start<'a> {
    /// On which side of the wire it was seen.
    pub side: Side,
    /// Its id: its caller's, or ours. It can stand in a line of a log as it is.
    pub request_id: &'a str,
    /// The trace that it belongs to.
    pub trace: Option<TraceParent>,
    /// When it came.
    pub at: SystemTime,
    /// Its method. It may be one that a stranger made up: see [`method`](Self::method_name).
    pub method: &'a Method,
    /// The path of its target, percent-encoded as it came, without the query.
    pub path: &'a str,
    /// The route that was found for it, if somebody says which:
    /// [`with_route`](super::RequestLogLayer::with_route).
    pub route: Option<&'a str>,
    /// The version of HTTP.
    pub version: Version,
    /// To whom it is sent; known on the client's side.
    pub server: Option<Server<'a>>,
}

/// To whom a request is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Server<'a> {
    /// The host's name or address, without user information.
    pub address: &'a str,
    /// The port, if one is named.
    pub port: Option<u16>,
}

/// All that is known of a request when it is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record<'a> {
    /// What was known when it came.
    pub start: Start<'a>,
    /// How it ended.
    pub outcome: Outcome,
    /// The answer's status; that which the error stands for, if there was an error instead of an
    /// answer; `None` if there was neither.
    pub status: Option<StatusCode>,
    /// The error that it ended with, as far as one is known.
    pub error: Option<&'a Error>,
    /// The id that the upstream has given to it, where it is another.
    pub upstream_request_id: Option<&'a str>,
    /// From when it came to the end of the answer, or to the drop.
    pub duration: Duration,
    /// From when it came to the answer's head.
    pub time_to_head: Option<Duration>,
    /// From when it came to the first content of the answer: the first chunk with any bytes, and of
    /// events the first that says more than who speaks.
    pub time_to_first_content: Option<Duration>,
    /// The longest time between two chunks, where it is asked for:
    /// [`with_longest_gap`](super::RequestLogLayer::with_longest_gap).
    pub longest_gap: Option<Duration>,
    /// How many bytes of the answer's body have passed.
    pub bytes: u64,
    /// In how many chunks they came, the empty ones not counted.
    pub chunks: u64,
    /// Whether the answer is a stream of events.
    pub is_stream: bool,
    /// Why the model ended, as far as the answer says.
    pub finish_reason: Option<FinishReason>,
    /// The tokens of what was asked, as the answer counts them.
    pub input_tokens: Option<u64>,
    /// The tokens of what was answered, as the answer counts them.
    pub output_tokens: Option<u64>,
    /// What the layers inside have told. Previews are in it if any log of the request asks for some.
    pub facts: &'a Facts,
    /// Whether this log asks for previews.
    pub(super) shows_previews: bool,
}

impl<'a> Start<'a> {
    /// Returns the method; `_OTHER` for one that is in no standard, as OpenTelemetry has it.
    #[must_use]
    pub fn method_name(&self) -> &'static str {
        match *self.method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::HEAD => "HEAD",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            Method::PATCH => "PATCH",
            Method::OPTIONS => "OPTIONS",
            Method::CONNECT => "CONNECT",
            Method::TRACE => "TRACE",
            _ => "_OTHER",
        }
    }

    /// Returns the version of HTTP as OpenTelemetry has it, as `1.1` and `2`.
    #[must_use]
    pub fn version_name(&self) -> Option<&'static str> {
        Some(match self.version {
            Version::HTTP_09 => "0.9",
            Version::HTTP_10 => "1.0",
            Version::HTTP_11 => "1.1",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => return None,
        })
    }

    /// Returns whether it asks for a chat, by the end of its path.
    #[must_use]
    pub fn is_chat(&self) -> bool {
        self.path.ends_with("/chat/completions")
    }
}

impl<'a> Server<'a> {
    pub(super) fn of(authority: &'a Authority) -> Self {
        Self { address: authority.host(), port: authority.port_u16() }
    }
}

impl Record<'_> {
    /// Returns what sort of error it was.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        self.error.map(Error::kind)
    }

    /// Returns the errcode of the error.
    #[must_use]
    pub fn errcode(&self) -> Option<i32> {
        self.error.map(Error::errcode)
    }

    /// Returns what `error.type` is: the kind's name, else the status, else the outcome's name; `None`
    /// for a success.
    #[must_use]
    pub fn error_type(&self) -> Option<Cow<'static, str>> {
        if let Some(kind) = self.kind() {
            return Some(kind.name().into());
        }
        match self.status {
            _ if self.outcome == Outcome::Success => None,
            Some(status) if status.as_u16() >= 400 => Some(status.as_str().to_owned().into()),
            _ => Some(self.outcome.as_str().into()),
        }
    }

    /// Returns how long it has waited for a limit or for its session.
    #[must_use]
    pub fn queue_wait(&self) -> Option<Duration> {
        let waits: [Option<Duration>; 2] = [
            #[cfg(feature = "rate-limit")]
            self.waited_for_a_limit(),
            #[cfg(not(feature = "rate-limit"))]
            None,
            #[cfg(feature = "session")]
            self.waited_for_its_session(),
            #[cfg(not(feature = "session"))]
            None,
        ];
        waits.into_iter().flatten().reduce(Duration::saturating_add)
    }

    #[cfg(feature = "rate-limit")]
    fn waited_for_a_limit(&self) -> Option<Duration> {
        match self.facts.rate_decision()? {
            crate::facts::RateDecision::Waited(waited) => Some(waited),
            _ => None,
        }
    }

    #[cfg(feature = "session")]
    fn waited_for_its_session(&self) -> Option<Duration> {
        use crate::facts::SessionDecision;
        match self.facts.session_decision()? {
            SessionDecision::Waited { waited, .. } => Some(waited),
            SessionDecision::Refused { waited, .. } if !waited.is_zero() => Some(waited),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
