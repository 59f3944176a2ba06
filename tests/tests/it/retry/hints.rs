//! What a server says about when to come back: nobody comes before, and nobody is parked.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use http::{Request, Response};
use kimi_errors::{BoxError, ErrorKind};
use kimi_testkit::probe::{Act, ProbeBody};
use kimi_tower::{
    facts::Facts,
    replay::ReplayBody,
    retry::{Backoff, RetryLayer, RetryPolicy, Stop},
};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{
    Duration, EVENTS, Instant, JSON, SECOND, answer, bytes, chat, error, hinted, send, send_as,
};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Numbers that look like chance: Lehmer's, with the modulus and factor of MINSTD.
struct Numbers(u64);

impl Numbers {
    /// Returns a number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0 * 48_271 % 0x7fff_ffff;
        self.0 % end
    }
}

/// What a server says, and how long it means.
struct Hint {
    fields: Vec<(&'static str, String)>,
    text: String,
    is_event: bool,
    /// Whether it is a limit of the account rather than a fault.
    is_throttle: bool,
    wait: Duration,
}

impl Hint {
    /// Returns a hint of any form, of up to a minute.
    fn any(numbers: &mut Numbers) -> Self {
        let mut fields = Vec::new();
        let mut text = "later".to_owned();
        let seconds = numbers.below(60);
        let ms = numbers.below(60_000);
        let written = format!("{}.{:03}", ms / 1000, ms % 1000);
        let date =
            |second: u64| format!("Sun, 06 Nov 1994 08:{:02}:{:02} GMT", second / 60, second % 60);
        let form = numbers.below(11);
        let wait = match form {
            0 => {
                fields.push(("retry-after", seconds.to_string()));
                Duration::from_secs(seconds)
            }
            1 => {
                fields.push(("retry-after", written));
                Duration::from_millis(ms)
            }
            2 => {
                let sent = numbers.below(3_000);
                fields.push(("date", date(sent)));
                fields.push(("retry-after", date(sent + seconds)));
                Duration::from_secs(seconds)
            }
            3 => {
                fields.push(("retry-after-ms", ms.to_string()));
                Duration::from_millis(ms)
            }
            4 => {
                fields.push(("x-ms-retry-after-ms", ms.to_string()));
                Duration::from_millis(ms)
            }
            5 => {
                text = format!("reached max RPM: 3, please try again after {seconds} seconds");
                Duration::from_secs(seconds)
            }
            6 => {
                text = format!("Please try again in {written}s. Visit us.");
                Duration::from_millis(ms)
            }
            7 => {
                text = format!("请求过于频繁，请 {written} 秒后重试");
                Duration::from_millis(ms)
            }
            8 => {
                fields.push(("x-retry-after", seconds.to_string()));
                Duration::from_secs(seconds)
            }
            // Of head and text the later instant holds.
            9 => {
                fields.push(("retry-after", seconds.to_string()));
                text = format!("please try again after {written} seconds");
                Duration::from_secs(seconds).max(Duration::from_millis(ms))
            }
            // Of several fields the most exact, and the garbage is passed over.
            _ => {
                fields.push(("retry-after", "soon".to_owned()));
                fields.push(("x-retry-after", seconds.to_string()));
                fields.push(("ratelimit-reset", "-7".to_owned()));
                Duration::from_secs(seconds)
            }
        };
        let is_event = numbers.below(4) == 0;
        Self { fields, text, is_event, is_throttle: numbers.below(2) == 0, wait }
    }

    fn answer(&self) -> Response<ProbeBody> {
        let name = if self.is_throttle { "rate_limit_reached_error" } else { "server_error" };
        let json = format!(r#"{{"error":{{"message":"{}","type":"{name}"}}}}"#, self.text);
        let mut answer = if self.is_event {
            answer(200, EVENTS, &format!("data: {json}\n\n"))
        } else {
            answer(if self.is_throttle { 429 } else { 503 }, JSON, &json)
        };
        for (name, value) in &self.fields {
            answer.headers_mut().append(*name, value.parse().unwrap());
        }
        answer
    }
}

/// A request of the caller with this number.
fn ask(caller: usize) -> Request<ProbeBody> {
    let mut request = chat();
    request.headers_mut().insert("authorization", caller.into());
    request
}

/// Who comes to an upstream that has said when, and how many of them too early or much too late.
#[derive(Debug, Default)]
struct Counts {
    came: AtomicUsize,
    early: AtomicUsize,
    late: AtomicUsize,
}

#[tokio::test(start_paused = true)]
async fn nobody_comes_before_the_instant_that_a_server_has_named() {
    const BATCH: usize = 1_000;
    let mut numbers = Numbers(42);
    let counts = Arc::new(Counts::default());
    let mut expected = 0;
    for _ in 0..100 {
        let hints: Arc<[Hint]> = (0..BATCH).map(|_| Hint::any(&mut numbers)).collect();
        let layer = RetryLayer::new(RetryPolicy::standard().without_budget());
        let start = Instant::now();
        let (upstream_hints, counts) = (Arc::clone(&hints), Arc::clone(&counts));
        let service = layer.layer(service_fn(move |request: Request<ReplayBody<ProbeBody>>| {
            let caller = request.headers()["authorization"].to_str().unwrap();
            let hint = &upstream_hints[caller.parse::<usize>().unwrap()];
            let elapsed = start.elapsed();
            let answer = if elapsed.is_zero() {
                hint.answer()
            } else {
                counts.came.fetch_add(1, SeqCst);
                counts.early.fetch_add(usize::from(elapsed < hint.wait), SeqCst);
                // Whoever was told has a jitter of a second, whoever was held one of a quarter of
                // the time; a timer ticks once a millisecond.
                let latest = hint.wait + SECOND.max(hint.wait / 4) + MILLISECOND * 3;
                counts.late.fetch_add(usize::from(elapsed > latest), SeqCst);
                Response::new(ProbeBody::empty())
            };
            async { Ok::<_, BoxError>(answer) }
        }));
        let mut sent: Vec<_> =
            (0..BATCH).map(|it| tokio::spawn(service.clone().oneshot(ask(it)))).collect();
        tokio::time::sleep(MILLISECOND).await;
        // Others of the same caller, who have not been told themselves.
        let told = |it: &usize| hints[*it].is_throttle && !hints[*it].wait.is_zero();
        let others = (0..BATCH).filter(told).map(|it| service.clone().oneshot(ask(it)));
        sent.extend(others.map(tokio::spawn));
        expected += sent.len();
        for sent in sent {
            assert_eq!(sent.await.unwrap().unwrap().status(), 200);
        }
    }
    assert!(expected > 140_000);
    assert_eq!(counts.came.load(SeqCst), expected);
    assert_eq!(counts.early.load(SeqCst), 0);
    assert_eq!(counts.late.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn an_absurd_hint_causes_neither_a_burst_nor_a_sleep() {
    let exact = |base| Backoff::exponential(base, SECOND * 9).without_jitter();
    let policy = RetryPolicy::standard()
        .with_fault_backoff(exact(SECOND))
        .with_throttle_backoff(exact(SECOND));
    let nines = "9".repeat(5_000);
    let (too_long, unreadable) = ((1, 0), (4, 7));
    for (value, (calls, seconds)) in [
        ("-1", unreadable),
        ("-99999999999999999999", unreadable),
        ("1e3", unreadable),
        ("NaN", unreadable),
        ("inf", unreadable),
        ("0x10", unreadable),
        ("", unreadable),
        (" ", unreadable),
        ("soon", unreadable),
        ("0", unreadable),
        ("0.0000000001", unreadable),
        ("+5", unreadable),
        ("Thu, 99 Foo 2026 99:99:99 GMT", unreadable),
        ("Sun, 06 Nov 1994 08:49:37 GMT", unreadable),
        ("61", too_long),
        ("60.000000001", too_long),
        ("31536001", too_long),
        ("18446744073709551616", too_long),
        ("18446744073709551615h9h", too_long),
        (&nines, too_long),
        ("Fri, 31 Dec 9999 23:59:59 GMT", too_long),
    ] {
        for kind in [ErrorKind::RateLimited, ErrorKind::Unavailable] {
            let start = Instant::now();
            let acts = (0..4).map(|_| Act::Answer(hinted(kind, "retry-after", value)));
            let (sent, seen) = send(policy.clone(), acts).await;
            let elapsed = start.elapsed().as_secs();
            assert_eq!((seen.calls(), elapsed), (calls, seconds), "{value:?}");
            assert_eq!(sent.unwrap().headers()["retry-after"], value);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_past_the_cap_returns_the_answer_at_once_and_untouched() {
    for (cap, hint, is_waited_for) in [(60, "60", true), (60, "61", false), (0, "1", false)] {
        let start = Instant::now();
        let facts = Facts::new();
        let mut request = chat();
        request.extensions_mut().insert(facts.clone());
        let busy = || hinted(ErrorKind::RateLimited, "retry-after", hint);
        let policy = RetryPolicy::standard().with_hint_cap(SECOND * cap);
        let (sent, seen) = send_as(policy, request, [Act::Answer(busy())]).await;
        let sent = sent.unwrap();
        if is_waited_for {
            assert_eq!((sent.status().as_u16(), seen.calls()), (200, 2));
            assert!(start.elapsed() >= SECOND * 60);
            continue;
        }
        assert_eq!((seen.calls(), start.elapsed()), (1, Duration::ZERO));
        assert_eq!(facts.retry_stop(), Some(Stop::HintTooLong));
        assert_eq!((sent.status(), sent.headers()), (busy().status(), busy().headers()));
        let whole = http_body_util::BodyExt::collect(busy().into_body()).await.unwrap().to_bytes();
        assert_eq!(bytes(sent).await, whole);
    }
}

/// A quota that refills within the cap is a throttle; one that refills tomorrow is none.
#[tokio::test(start_paused = true)]
async fn a_quota_is_waited_for_if_it_refills_within_the_cap() {
    for (hint, attempts, stop) in [
        (Some("7"), 2, None),
        (Some("61"), 1, Some(Stop::HintTooLong)),
        (Some("86400"), 1, Some(Stop::HintTooLong)),
        (None, 1, Some(Stop::Hopeless)),
    ] {
        let start = Instant::now();
        let facts = Facts::new();
        let mut request = chat();
        request.extensions_mut().insert(facts.clone());
        let kind = ErrorKind::UsageLimited;
        let busy = hint.map_or_else(|| error(kind), |hint| hinted(kind, "retry-after", hint));
        let (_, seen) = send_as(RetryPolicy::standard(), request, [Act::Answer(busy)]).await;
        assert_eq!((seen.calls(), facts.retry_stop()), (attempts, stop), "{hint:?}");
        // The wall clock, which no test pauses, went on between the answer and its reading.
        assert!(attempts == 1 || start.elapsed() > SECOND * 6);
    }
}

/// The time of a reset is kept as the server wrote it. A caller whose clock is ahead of the server's
/// would come too early by that.
#[tokio::test(start_paused = true)]
async fn a_date_of_a_reset_is_not_taken_by_the_callers_clock() {
    let (sent, reset) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:44 GMT");
    let start = Instant::now();
    let mut busy = hinted(ErrorKind::UsageLimited, "retry-after", reset);
    busy.headers_mut().insert("date", sent.parse().unwrap());
    let (_, seen) = send(RetryPolicy::standard(), [Act::Answer(busy)]).await;
    assert_eq!(seen.calls(), 2);
    assert!(start.elapsed() >= SECOND * 7, "{:?}", start.elapsed());
}
