//! What is kept of a request and of its answer until the record is written.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Version,
    uri::{Authority, PathAndQuery},
};
use kimi_errors::Error;
use tokio::time::Instant;

use super::{
    RequestId, Server, Side, Start, TraceParent, request_id::REQUEST_ID, settings::Settings,
    tap::Tap, tell::ask, trace_parent::TRACE_PARENT,
};

/// Returns the id that a request has, if it is accepted, and its trace. One look at each field costs
/// less than to look two names up.
pub(super) fn said(headers: &HeaderMap) -> (Option<RequestId>, Option<TraceParent>) {
    let request_id = REQUEST_ID;
    let (mut id, mut trace) = (None, None);
    for (name, value) in headers {
        // Of several the first counts, whatever it says.
        if *name == request_id {
            id.get_or_insert(value);
        } else if *name == TRACE_PARENT {
            trace.get_or_insert(value);
        }
    }
    (id.and_then(RequestId::given), trace.and_then(TraceParent::of))
}

/// What is kept of a request.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) at: SystemTime,
    pub(super) method: Method,
    pub(super) target: Option<PathAndQuery>,
    pub(super) version: Version,
    pub(super) authority: Option<Authority>,
    pub(super) trace: Option<TraceParent>,
    pub(super) route: Option<Cow<'static, str>>,
}

/// What is kept of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) upstream_id: Option<HeaderValue>,
    /// The error that its extensions hold.
    pub(super) error: Option<Error>,
    pub(super) tap: Tap,
    pub(super) time_to_head: Duration,
    pub(super) time_to_first_content: Option<Duration>,
    pub(super) last_chunk: Option<Instant>,
    pub(super) longest_gap: Option<Duration>,
}

impl Answer {
    #[inline(never)]
    pub(super) fn read_clock(&mut self, started: Instant, is_first: bool, longest_gap: bool) {
        let now = Instant::now();
        if is_first {
            self.time_to_first_content = Some(now - started);
        }
        if longest_gap {
            let gap = self.last_chunk.replace(now).map(|last| now - last);
            self.longest_gap = self.longest_gap.max(gap);
        }
    }
}

impl Head {
    /// Keeps what is known of a request that came at that time, of that trace.
    pub(super) fn of<B, O>(
        request: &Request<B>,
        settings: &Settings<O>,
        at: SystemTime,
        trace: Option<TraceParent>,
    ) -> Self {
        let uri = request.uri();
        let route = settings.route.as_ref().map(|route| ask(|| route(request.extensions())));
        Self {
            at,
            method: request.method().clone(),
            target: uri.path_and_query().cloned(),
            version: request.version(),
            authority: uri.authority().filter(|_| settings.side == Side::Client).cloned(),
            trace,
            route: route.flatten().flatten(),
        }
    }

    pub(super) fn start<'a>(&'a self, side: Side, id: &'a str) -> Start<'a> {
        Start {
            side,
            request_id: id,
            trace: self.trace,
            at: self.at,
            method: &self.method,
            path: self.target.as_ref().map_or("/", PathAndQuery::path),
            route: self.route.as_deref(),
            version: self.version,
            server: self.authority.as_ref().map(Server::of),
        }
    }
}

/// How it ended, as far as it has.
#[derive(Debug)]
pub(super) enum End {
    /// Not yet. Nobody waits any more if it is dropped so.
    Open,
    /// The answer's body is over.
    Complete,
    /// With this error, before the head or after it.
    Failed(Error),
}
