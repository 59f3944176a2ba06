//! One record of each request, that explains what happened.

mod body;
mod entry;
mod fields;
mod future;
mod layer;
mod observer;
mod outcome;
mod plain;
mod record;
mod request_id;
mod schema;
mod service;
mod settings;
mod tap;
mod trace_parent;

#[cfg(feature = "metrics")]
pub use self::observer::MetricsObserver;
pub use self::{
    body::ResponseBody,
    future::ResponseFuture,
    layer::RequestLogLayer,
    observer::{JsonObserver, Levels, Observer, Sampled, TextObserver, TracingObserver},
    outcome::Outcome,
    record::{Record, Server, Side, Start},
    request_id::RequestId,
    schema::Schema,
    service::RequestLog,
    trace_parent::TraceParent,
};
pub use crate::body::usage::FinishReason;
