//! Files that a request names: which are refused, where it is said, and who is asked.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use kimi_errors::{ErrorKind, Lang, chain};
use kimi_testkit::probe::{Probe, ProbeBody};
use kimi_tower::validate::{Validate, ValidateLayer};
use kimi_validate::{
    ChatRequest, Profile,
    file_url::{FileViolations, UrlPolicy},
    probe::FileProbe,
};
use tokio::time::{Instant, sleep};
use tower::{limit::ConcurrencyLimit, service_fn};
use tower_layer::Layer as _;

use super::{GOOD, Slow, Woken, call, poll, post, refusal, stack, start};

/// A request that names these files.
fn naming(urls: &[&str]) -> String {
    let parts = urls.iter().map(|url| format!(r#"{{"type":"file","file_url":{{"url":"{url}"}}}}"#));
    let parts: Vec<_> = parts.collect();
    format!(
        r#"{{"model":"kimi","messages":[{{"role":"user","content":"?"}},{{"role":"user","content":[{}]}}]}}"#,
        parts.join(",")
    )
}

/// A request that names so many files, each of which takes so many seconds.
fn several(files: usize, seconds: u32) -> String {
    let urls: Vec<_> =
        (0..files).map(|index| format!("https://example.com/{seconds}/7/{index}")).collect();
    naming(&urls.iter().map(String::as_str).collect::<Vec<_>>())
}

fn layer() -> ValidateLayer {
    ValidateLayer::new(Profile::free_api())
}

/// The reasons that a refusal gives, each with its place.
fn reasons(refusal: &kimi_errors::Error) -> Vec<(&str, &str)> {
    let list = refusal.data().unwrap()["violations"].as_array().unwrap();
    list.iter()
        .map(|it| (it["pointer"].as_str().unwrap(), it["reason"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn by_default_files_are_not_looked_at() {
    let (mut service, seen) = stack(&layer());
    call(&mut service, post(ProbeBody::full(naming(&["http://10.0.0.1/"])))).await.unwrap();
    assert_eq!(seen.calls(), 1);
}

#[tokio::test]
async fn every_url_that_is_refused_is_named_with_its_place() {
    let layer = layer().with_file_urls(UrlPolicy::new()).with_lang(Lang::En);
    let body =
        naming(&["http://hunter2@10.0.0.1/", "https://example.com/a", "http://10.0.0.1/hunter2"]);
    for body in [ProbeBody::full(body.clone()), ProbeBody::chunks([body])] {
        let refusal = refusal(&layer, post(body)).await;
        assert_eq!(refusal.kind(), ErrorKind::FileUrlInvalid);
        assert_eq!((refusal.errcode(), refusal.status()), (-2003, 400));
        assert_eq!(refusal.param(), Some("messages[1].content[0].file_url.url"));
        let expected = [
            ("/messages/1/content/0/file_url/url", "userinfo"),
            ("/messages/1/content/2/file_url/url", "address"),
        ];
        assert_eq!(reasons(&refusal), expected);
        let typed: Option<&FileViolations> = chain::find(&refusal);
        assert_eq!(typed.map(|it| it.as_slice().len()), Some(2));
        assert!(!format!("{refusal} {refusal:?} {:?}", refusal.data()).contains("hunter2"));
    }
}

#[tokio::test]
async fn a_data_url_that_is_too_large_is_413() {
    let layer = layer().with_file_urls(UrlPolicy::new().with_max_data_bytes(3));
    let refusal =
        refusal(&layer, post(ProbeBody::full(naming(&["data:image/png;base64,AAAAAA=="])))).await;
    assert_eq!((refusal.errcode(), refusal.status()), (-2004, 413));
}

#[tokio::test]
async fn what_is_allowed_passes_as_it_came() {
    let layer = layer().with_file_urls(UrlPolicy::new());
    let body = naming(&["https://example.com/a", "data:image/png;base64,AAAA"]);
    let (mut service, seen) = stack(&layer);
    call(&mut service, post(Slow::new(ProbeBody::full(body)))).await.unwrap();
    assert_eq!(seen.calls(), 1);
}

/// Servers that answer with the size that their path says, after as many seconds, and how many were
/// asked at once.
#[derive(Clone, Default)]
struct Servers {
    now: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

impl Servers {
    fn layer(&self) -> ValidateLayer {
        let servers = self.clone();
        let client = service_fn(move |request: Request<Empty<Bytes>>| {
            let servers = servers.clone();
            async move {
                servers.asked.fetch_add(1, SeqCst);
                let guard = Asked(servers.now.clone());
                servers.peak.fetch_max(servers.now.fetch_add(1, SeqCst) + 1, SeqCst);
                let mut words = request.uri().path().split('/').skip(1);
                sleep(Duration::from_secs(words.next().unwrap().parse().unwrap())).await;
                drop(guard);
                let answer = Response::builder()
                    .header("content-type", "application/pdf")
                    .header("content-length", words.next().unwrap())
                    .body(Empty::<Bytes>::new());
                Ok::<_, Infallible>(answer.unwrap())
            }
        });
        layer().with_file_probe(FileProbe::new(client))
    }
}

struct Asked(Arc<AtomicUsize>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn servers_are_asked_four_at_once() {
    let servers = Servers::default();
    let (mut service, seen) = stack(&servers.layer());
    let begin = Instant::now();
    let body = several(10, 2);
    call(&mut service, post(ProbeBody::full(body))).await.unwrap();
    assert_eq!((servers.peak.load(SeqCst), servers.asked.load(SeqCst)), (4, 10));
    // Three rounds: four, four, two.
    assert_eq!((begin.elapsed(), seen.calls()), (Duration::from_secs(6), 1));
}

#[tokio::test(start_paused = true)]
async fn verdicts_stand_in_the_order_of_the_input_whichever_comes_first() {
    let servers = Servers::default();
    let body = naming(&[
        "https://example.com/3/104857601",
        "https://example.com/2/104857600",
        "https://example.com/1/999999999",
        "https://example.com/20/1",
    ]);
    let refusal = refusal(&servers.layer(), post(ProbeBody::full(body))).await;
    // The last took longer than a probe may.
    let expected = [
        ("/messages/1/content/0/file_url/url", "too_large"),
        ("/messages/1/content/2/file_url/url", "too_large"),
        ("/messages/1/content/3/file_url/url", "unreachable"),
    ];
    assert_eq!(reasons(&refusal), expected);
    assert_eq!((refusal.errcode(), refusal.status()), (-2004, 413));
}

#[tokio::test(start_paused = true)]
async fn all_files_together_take_thirty_seconds_at_most() {
    let servers = Servers::default();
    let begin = Instant::now();
    let body = several(64, 9);
    let refusal = refusal(&servers.layer(), post(ProbeBody::full(body))).await;
    assert_eq!(begin.elapsed(), Duration::from_secs(30));
    // Three rounds of four were known by then.
    assert_eq!(reasons(&refusal)[0], ("/messages/1/content/12/file_url/url", "unreachable"));
    assert_eq!(refusal.data().unwrap()["truncated"], 64 - 12 - 32);
    assert_eq!(servers.now.load(SeqCst), 0);
}

/// A fragment is not sent.
#[tokio::test(start_paused = true)]
async fn a_url_that_is_named_often_is_asked_for_once() {
    let servers = Servers::default();
    let once = "https://example.com/1/104857601";
    let mut urls = vec![once; 30];
    urls.extend(["https://example.com/1/7", "https://example.com/1/104857601#page=2"]);
    let refusal = refusal(&servers.layer(), post(ProbeBody::full(naming(&urls)))).await;
    assert_eq!(servers.asked.load(SeqCst), 2);
    // Each place is told all the same.
    let reasons = reasons(&refusal);
    assert_eq!(reasons.len(), 31);
    assert_eq!(reasons[0], ("/messages/1/content/0/file_url/url", "too_large"));
    assert_eq!(reasons[30], ("/messages/1/content/31/file_url/url", "too_large"));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_about_a_request_of_too_many_files() {
    let servers = Servers::default();
    let body = several(65, 1);
    let refusal = refusal(&servers.layer(), post(ProbeBody::full(body))).await;
    assert_eq!(reasons(&refusal), [("/messages/1/content/64/file_url/url", "too_many_files")]);
    assert_eq!((refusal.errcode(), refusal.status()), (-2003, 400));
    assert_eq!(servers.asked.load(SeqCst), 0);
}

/// However many requests, and by however many clones of the service.
#[tokio::test(start_paused = true)]
async fn servers_of_all_requests_are_asked_sixty_four_at_once() {
    let servers = Servers::default();
    let (service, seen) = stack(&servers.layer());
    let answers = (0..40).map(|_| {
        let mut service = service.clone();
        async move { call(&mut service, post(ProbeBody::full(several(4, 2)))).await }
    });
    for answer in futures_of(answers).await {
        answer.unwrap();
    }
    assert_eq!((servers.peak.load(SeqCst), servers.asked.load(SeqCst)), (64, 160));
    assert_eq!((seen.calls(), servers.now.load(SeqCst)), (40, 0));
}

/// Those who wait for their turn wait no longer than all files of a request may take.
#[tokio::test(start_paused = true)]
async fn a_file_whose_turn_does_not_come_is_unreachable() {
    let servers = Servers::default();
    let (service, _) = stack(&servers.layer());
    let begin = Instant::now();
    let answers = (0..100).map(|_| {
        let mut service = service.clone();
        async move { call(&mut service, post(ProbeBody::full(several(4, 9)))).await }
    });
    let refused = futures_of(answers).await.into_iter().filter(Result::is_err).count();
    // In 30 s there are three rounds of 64, of 400 files.
    assert_eq!(begin.elapsed(), Duration::from_secs(30));
    assert_eq!((refused, servers.peak.load(SeqCst)), (100 - 3 * 16, 64));
    assert_eq!(servers.now.load(SeqCst), 0);
}

/// Polls all of them in turn, until all have ended.
async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|it| (Box::pin(it), None)).collect();
    std::future::poll_fn(|cx| {
        let mut is_over = true;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    Poll::Ready(it) => *output = Some(it),
                    Poll::Pending => is_over = false,
                }
            }
        }
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_about_a_request_that_that_is_refused_or_names_nothing() {
    let servers = Servers::default();
    let body = naming(&["https://example.com/1/1", "http://10.0.0.1/"]);
    refusal(&servers.layer(), post(ProbeBody::full(body))).await;
    let (mut service, _) = stack(&servers.layer());
    let body = naming(&["data:image/png;base64,AAAA"]);
    call(&mut service, post(ProbeBody::full(body))).await.unwrap();
    assert_eq!(servers.asked.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn i2_no_readiness_is_held_while_servers_are_asked() {
    let servers = Servers::default();
    let (probe, seen) = Probe::new([]);
    let mut service = servers.layer().layer(ConcurrencyLimit::new(probe, 1));
    let body = ProbeBody::full(naming(&["https://example.com/5/7"]));
    let mut answer = Box::pin(start(&mut service, post(body)).await);
    assert!(poll(answer.as_mut(), &Arc::new(Woken::default())).is_pending());
    assert_eq!((servers.now.load(SeqCst), seen.calls()), (1, 0));
    // The one permit is there for another.
    call(&mut service.clone(), post(ProbeBody::full(naming(&[])))).await.unwrap_err();
    call(&mut service.clone(), post(ProbeBody::full(GOOD))).await.unwrap();
    assert_eq!(seen.calls(), 1);
    drop(service);
    answer.await.unwrap();
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_asks_nobody_any_more() {
    let servers = Servers::default();
    let (mut service, seen) = stack(&servers.layer());
    let body = ProbeBody::full(naming(&["https://example.com/5/7"]));
    let mut answer = Box::pin(start(&mut service, post(body)).await);
    assert!(poll(answer.as_mut(), &Arc::new(Woken::default())).is_pending());
    assert_eq!(servers.now.load(SeqCst), 1);
    drop(answer);
    assert_eq!((servers.now.load(SeqCst), seen.calls()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_request_behind_has_its_chat() {
    let servers = Servers::default();
    let inner = service_fn(|request: Request<_>| {
        let chat: Option<&ChatRequest> = request.extensions().get();
        assert_eq!(chat.unwrap().files().len(), 1);
        let _: kimi_tower::validate::RequestBody<ProbeBody> = request.into_body();
        std::future::ready(Ok::<_, kimi_errors::Error>(()))
    });
    let mut service = Validate::new(inner, servers.layer());
    let body = ProbeBody::full(naming(&["https://example.com/1/7"]));
    call(&mut service, post(body)).await.unwrap();
}
