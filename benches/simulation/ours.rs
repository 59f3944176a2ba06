//! How we try again.

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    raise_error::RaiseErrorLayer,
    replay::ReplayBody,
    retry::{RetryLayer, RetryPolicy},
};
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};

use super::hop::{Answer, Hop};

/// Returns a client that asks the next service.
pub(super) fn client(policy: RetryPolicy, next: Hop) -> Hop {
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new(policy))
        .service(service_fn(move |attempt| sent(next.clone(), attempt)));
    Hop::of(client.map_err(BoxError::from).and_then(read))
}

/// Returns a gateway whose upstream is the next service.
pub(super) fn gateway(policy: RetryPolicy, next: Hop) -> Hop {
    let gateway = ServiceBuilder::new()
        .layer(CatchErrorLayer::new())
        .layer(RaiseErrorLayer::new())
        .layer(RetryLayer::new(policy))
        .service(service_fn(move |attempt| sent(next.clone(), attempt)));
    Hop::of(gateway.map_err(BoxError::from).and_then(read))
}

/// Sends an attempt over the wire: its body is read by whoever sends it.
async fn sent(next: Hop, attempt: Request<ReplayBody<Full<Bytes>>>) -> Answer {
    let (head, body) = attempt.into_parts();
    let body = body.collect().await?.to_bytes();
    next.ask(Request::from_parts(head, Full::new(body))).await
}

/// Reads an answer from the wire.
async fn read<B>(answer: Response<B>) -> Answer
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(Into::into)?.to_bytes();
    Ok(Response::from_parts(head, Full::new(body)))
}
