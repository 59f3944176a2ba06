use std::{
    fmt,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body as _, SizeHint};
use http_body_util::BodyExt as _;
use tower_layer::Layer;
use tower_service::Service as _;

use super::subject::{Subject, call, drain, expect, frames, poll_until, ready};
use crate::probe::{Act, Beat, Probe, ProbeBody, Readiness, Seen};

/// The contract of one layer.
pub struct Contract<L> {
    layer: L,
    request: Box<dyn Fn() -> Request<&'static str>>,
    added: &'static [&'static str],
}

impl<L: fmt::Debug> fmt::Debug for Contract<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract").field("layer", &self.layer).finish_non_exhaustive()
    }
}

/// An extension that only has to arrive.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Mark(&'static str);

impl<L> Contract<L>
where
    L: Layer<Probe, Service: Subject>,
{
    /// Starts with a small chat request.
    pub fn of(layer: L) -> Self {
        let request = || {
            let body = r#"{"model":"kimi","messages":[{"role":"user","content":"你好"}]}"#;
            let mut request = Request::new(body);
            *request.method_mut() = Method::POST;
            *request.uri_mut() = http::Uri::from_static("/v1/chat/completions?a=b");
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(http::header::CONTENT_TYPE, json);
            request
        };
        Self { layer, request: Box::new(request), added: &[] }
    }

    /// Sets a request that the layer lets through.
    #[must_use]
    pub fn with_request(mut self, request: impl Fn() -> Request<&'static str> + 'static) -> Self {
        self.request = Box::new(request);
        self
    }

    /// Names the head fields that the layer may add, to the request or the answer.
    #[must_use]
    pub const fn adding(mut self, fields: &'static [&'static str]) -> Self {
        self.added = fields;
        self
    }

    /// Checks all of it.
    ///
    /// # Panics
    ///
    /// If the layer breaks its contract.
    pub async fn check(self) {
        self.is_ready_before_each_call().await;
        self.a_clone_is_not_ready().await;
        self.waits_for_readiness().await;
        self.a_dropped_future_drops_the_inner_one().await;
        self.a_dropped_body_drops_the_inner_one().await;
        self.clones_work_at_the_same_time().await;
        self.an_exchange_passes_unchanged().await;
        self.size_hints_pass_unchanged().await;
    }

    async fn is_ready_before_each_call(&self) {
        let (mut service, seen) = self.stack([]);
        for _ in 0..3 {
            drain(call(&mut service, self.request()).await).await;
        }
        assert_eq!(seen.calls(), 3);
        assert_eq!(seen.unready_calls(), 0, "called without being ready");
    }

    async fn a_clone_is_not_ready(&self) {
        let (mut service, seen) = self.stack([]);
        ready(&mut service).await;
        let mut clone = service.clone();
        drain(call(&mut clone, self.request()).await).await;
        // The original is still ready, and may be called without another poll.
        drain(expect(service.call(self.request()).await)).await;
        assert_eq!(seen.calls(), 2);
        assert_eq!(seen.unready_calls(), 0, "the clone took its original's readiness for its own");
    }

    async fn waits_for_readiness(&self) {
        let (probe, seen) = Probe::new([]);
        let mut service = self.layer.layer(probe.with_readiness([Readiness::Pending]));
        let request = self.request();
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(flag.clone());
        let mut exchange = pin!(async { drain(call(&mut service, request).await).await });
        assert!(exchange.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(seen.calls(), 0, "called though not ready");
        seen.wake();
        assert!(flag.0.load(SeqCst) > 0, "nobody is woken when the inner service becomes ready");
        exchange.await;
        assert_eq!((seen.calls(), seen.unready_calls()), (1, 0));
    }

    async fn a_dropped_future_drops_the_inner_one(&self) {
        let (mut service, seen) = self.stack([Act::Hang]);
        {
            let mut exchange = pin!(call(&mut service, self.request()));
            poll_until(exchange.as_mut(), || seen.live_futures() == 1).await;
        }
        assert_eq!(seen.live_futures(), 0, "the inner future outlives the outer one");
        drain(call(&mut service, self.request()).await).await;
        assert_eq!(seen.unready_calls(), 0, "called without being ready");
    }

    async fn a_dropped_body_drops_the_inner_one(&self) {
        let body = ProbeBody::chunks(["first"]).then(Beat::Hang);
        let body_seen = body.seen();
        let (mut service, _) = self.stack([Act::Answer(Response::new(body))]);
        let response = call(&mut service, self.request()).await;
        let mut body = Box::pin(response.into_body());
        assert!(body.frame().await.is_some_and(|frame| frame.is_ok()));
        assert!(!body_seen.is_dropped());
        drop(body);
        assert!(body_seen.is_dropped(), "the inner body outlives the outer one");
    }

    async fn clones_work_at_the_same_time(&self) {
        let (service, seen) = self.stack([Act::Hang, Act::Hang]);
        let (mut one, mut other) = (service.clone(), service);
        let mut first = pin!(call(&mut one, self.request()));
        let mut second = pin!(call(&mut other, self.request()));
        poll_until(first.as_mut(), || seen.live_futures() == 1).await;
        poll_until(second.as_mut(), || seen.live_futures() == 2).await;
        assert_eq!(seen.unready_calls(), 0, "called without being ready");
    }

    async fn an_exchange_passes_unchanged(&self) {
        let body = ProbeBody::chunks(["one", "", "two"])
            .then(Beat::Yield)
            .then(Beat::Data("three".into()))
            .then(Beat::Trailers(fields("x-end")));
        let mut answer = Response::new(body);
        *answer.status_mut() = StatusCode::ACCEPTED;
        *answer.headers_mut() = fields("x-answer");
        answer.extensions_mut().insert(Mark("answer"));
        let (mut service, seen) = self.stack([Act::Answer(answer)]);

        let mut request = self.request();
        request.headers_mut().extend(fields("x-request"));
        request.extensions_mut().insert(Mark("request"));
        let sent = request.map(|body| body.then(Beat::Trailers(fields("x-request-end"))));
        let (mut head, body) = sent.into_parts();
        let (uri, method, headers) = (head.uri.clone(), head.method.clone(), head.headers.clone());
        head.version = http::Version::HTTP_2;
        let answer = call(&mut service, Request::from_parts(head, body)).await;

        let [arrived] = <[_; 1]>::try_from(seen.take_requests()).expect("one request came whole");
        assert_eq!((&arrived.head.uri, &arrived.head.method), (&uri, &method));
        assert_eq!(arrived.head.version, http::Version::HTTP_2);
        assert_eq!(self.without_added(&arrived.head.headers), headers);
        assert_eq!(arrived.head.extensions.get(), Some(&Mark("request")));
        assert_eq!(arrived.body, (self.request)().into_body());
        assert_eq!(arrived.trailers, Some(fields("x-request-end")));

        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(self.without_added(answer.headers()), fields("x-answer"));
        assert_eq!(answer.extensions().get(), Some(&Mark("answer")));
        let (data, trailers) = frames(answer).await;
        assert_eq!(data, ["one", "", "two", "three"], "the frames of the answer");
        assert_eq!(trailers, Some(fields("x-end")));
    }

    async fn size_hints_pass_unchanged(&self) {
        let bounded = {
            let mut hint = SizeHint::new();
            hint.set_upper(90);
            hint.set_lower(3);
            hint
        };
        for (body, at_first, is_over) in [
            (ProbeBody::full("four"), SizeHint::with_exact(4), false),
            (ProbeBody::empty(), SizeHint::with_exact(0), true),
            (ProbeBody::chunks(["four"]), SizeHint::new(), false),
            (ProbeBody::chunks(["four"]).with_size_hint(bounded), bounded, false),
        ] {
            let (mut service, _) = self.stack([Act::Answer(Response::new(body))]);
            let answer = call(&mut service, self.request()).await;
            let hint = answer.body().size_hint();
            assert_eq!(
                (hint.lower(), hint.upper()),
                (at_first.lower(), at_first.upper()),
                "the size hint of the answer",
            );
            assert_eq!(answer.body().is_end_stream(), is_over, "whether the answer is over");
            drain(answer).await;
        }
    }

    fn stack(&self, acts: impl IntoIterator<Item = Act>) -> (L::Service, Seen) {
        let (probe, seen) = Probe::new(acts);
        (self.layer.layer(probe), seen)
    }

    fn request(&self) -> Request<ProbeBody> {
        (self.request)().map(|body| ProbeBody::chunks([body]))
    }

    fn without_added(&self, headers: &HeaderMap) -> HeaderMap {
        let mut headers = headers.clone();
        for added in self.added {
            headers.remove(*added);
        }
        headers
    }
}

fn fields(name: &'static str) -> HeaderMap {
    let mut fields = HeaderMap::new();
    fields.append(name, HeaderValue::from_static("one"));
    fields.append(name, HeaderValue::from_static("two"));
    fields
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Flag(AtomicUsize);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}
