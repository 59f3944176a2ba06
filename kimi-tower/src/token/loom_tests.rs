//! Every interleaving of what threads do to one cache.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use kimi_errors::{Error, ErrorKind};
use loom::{
    future::block_on,
    sync::{Arc, Mutex},
    thread,
};

use super::{Freshness, Token, TokenCache, TokenProvider};

fn model(work: impl Fn() + Send + Sync + 'static) {
    model_within(3, work);
}

/// With so many preemptions at most, unless the environment says otherwise. Without a bound one model
/// takes many minutes.
fn model_within(preemptions: usize, work: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound.get_or_insert(preemptions);
    model.check(work);
}

/// What a fetch waits for.
#[derive(Default)]
struct Gate(Mutex<(bool, Option<Waker>)>);

impl Gate {
    fn open(&self) {
        let waker = {
            let mut gate = self.0.lock().unwrap();
            gate.0 = true;
            gate.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn passed(&self) {
        poll_fn(|cx| {
            let mut gate = self.0.lock().unwrap();
            if gate.0 {
                return Poll::Ready(());
            }
            gate.1 = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Counts its fetches, which wait for the gate.
struct Gated {
    gate: Arc<Gate>,
    fetches: Arc<Mutex<u32>>,
}

impl TokenProvider for Gated {
    type Future = Pin<Box<dyn Future<Output = Result<Token, Error>> + Send>>;

    fn fetch(&self) -> Self::Future {
        let number = {
            let mut fetches = self.fetches.lock().unwrap();
            *fetches += 1;
            *fetches
        };
        let gate = Arc::clone(&self.gate);
        Box::pin(async move {
            gate.passed().await;
            Token::parse(&format!("T{number}"))
        })
    }
}

fn gated(gate: &Arc<Gate>, fetches: &Arc<Mutex<u32>>) -> TokenCache<Gated> {
    let (gate, fetches) = (Arc::clone(gate), Arc::clone(fetches));
    TokenCache::new(Gated { gate, fetches }, freshness())
}

/// Timers are not modelled.
fn freshness() -> Freshness {
    Freshness::new().with_timeout(Duration::MAX)
}

/// Those who wait, on two threads, while a third ends what is waited for.
#[test]
fn k1_one_refresh_is_one_and_all_are_given_its_token() {
    // Three threads, of which two do much: with three it takes a minute.
    model_within(2, || {
        let (gate, fetches) = (Arc::new(Gate::default()), Arc::new(Mutex::new(0)));
        let cache = gated(&gate, &fetches);
        let other = cache.clone();
        let waits = thread::spawn(move || block_on(other.token()).unwrap().generation());
        let opens = thread::spawn(move || gate.open());
        assert_eq!(block_on(cache.token()).unwrap().generation(), 1);
        assert_eq!(waits.join().unwrap(), 1);
        opens.join().unwrap();
        assert_eq!(*fetches.lock().unwrap(), 1);
    });
}

/// Whoever began the refresh goes, before, while or after it is woken; the other is given the token.
#[test]
fn k2_one_who_leaves_stops_nobody() {
    model(|| {
        let (gate, fetches) = (Arc::new(Gate::default()), Arc::new(Mutex::new(0)));
        let cache = gated(&gate, &fetches);
        let mut leaves = Box::pin(cache.token());
        let noop = &mut Context::from_waker(Waker::noop());
        assert!(leaves.as_mut().poll(noop).is_pending());
        let opens = thread::spawn(move || gate.open());
        let leaving = thread::spawn(move || {
            let _ = leaves.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        assert_eq!(block_on(cache.token()).unwrap().generation(), 1);
        opens.join().unwrap();
        leaving.join().unwrap();
        assert_eq!(*fetches.lock().unwrap(), 1);
    });
}

/// One is woken and never polled again, nor dropped: the others do not depend on it.
#[test]
fn k2_one_who_does_not_look_holds_up_nobody() {
    model(|| {
        let (gate, fetches) = (Arc::new(Gate::default()), Arc::new(Mutex::new(0)));
        let cache = gated(&gate, &fetches);
        let mut idle = pin!(cache.token());
        assert!(idle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let opens = thread::spawn(move || gate.open());
        assert_eq!(block_on(cache.token()).unwrap().generation(), 1);
        opens.join().unwrap();
    });
}

/// A future that is woken while it is polled is polled again, by whoever is there.
#[test]
fn k2_a_wake_during_a_poll_is_not_lost() {
    model(|| {
        let cache = TokenCache::new(
            || {
                let mut polls = 0;
                poll_fn(move |cx| {
                    polls += 1;
                    if polls == 1 {
                        let waker = cx.waker().clone();
                        thread::spawn(move || waker.wake());
                        return Poll::Pending;
                    }
                    Poll::Ready(Token::parse("T"))
                })
            },
            freshness(),
        );
        // Who polls it then may leave, and who was woken has seen that it was being polled.
        let mut leaves = Box::pin(cache.token());
        let leaving = thread::spawn(move || {
            let _ = leaves.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        assert_eq!(block_on(cache.token()).unwrap().generation(), 1);
        leaving.join().unwrap();
    });
}

#[test]
fn k3_a_late_refusal_of_an_old_token_never_takes_away_the_new() {
    model(|| {
        let (gate, fetches) = (Arc::new(Gate::default()), Arc::new(Mutex::new(0)));
        gate.open();
        // Without the pause between refusals, which would hide one that is taken for another's.
        let provider = Gated { gate, fetches: Arc::clone(&fetches) };
        let cache = TokenCache::new(provider, freshness().with_pause(Duration::ZERO));
        assert_eq!(block_on(cache.token()).unwrap().generation(), 1);
        // Two have been refused with the first token, and find out at any time.
        let threads = [(); 2].map(|()| {
            let cache = cache.clone();
            thread::spawn(move || {
                let is_taken = cache.refuse(1);
                (is_taken, block_on(cache.token()).unwrap().generation())
            })
        });
        let results = threads.map(|thread| thread.join().unwrap());
        assert_eq!(results.iter().filter(|(is_taken, _)| *is_taken).count(), 1);
        assert!(results.iter().all(|(_, generation)| *generation == 2));
        assert_eq!(*fetches.lock().unwrap(), 2);
    });
}

#[test]
fn k4_a_failure_is_given_to_all_who_waited_for_it() {
    model(|| {
        let fetches = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&fetches);
        let cache = TokenCache::new(
            move || {
                *counted.lock().unwrap() += 1;
                async { Err::<Token, _>(Error::new(ErrorKind::Unavailable)) }
            },
            freshness(),
        );
        let other = cache.clone();
        let waits = thread::spawn(move || block_on(other.token()).unwrap_err().kind());
        assert_eq!(block_on(cache.token()).unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(waits.join().unwrap(), ErrorKind::Unavailable);
        assert_eq!(*fetches.lock().unwrap(), 1);
    });
}

/// To clone, wake or drop a waker runs the code of others: that of a task, which may ask the cache.
#[test]
fn k5_wakers_and_the_provider_are_touched_while_nothing_is_locked() {
    struct Asks(TokenCache<Gated>, AtomicUsize);

    impl Wake for Asks {
        fn wake(self: std::sync::Arc<Self>) {
            self.1.fetch_add(1, SeqCst);
            self.0.refuse(7);
        }
    }

    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.refuse(7);
        }
    }

    model(|| {
        let gate = Arc::new(Gate::default());
        let cache = gated(&gate, &Arc::new(Mutex::new(0)));
        let waker = || {
            let asks = std::sync::Arc::new(Asks(cache.clone(), AtomicUsize::new(0)));
            (Waker::from(asks.clone()), asks)
        };
        let (first, second) = (waker(), waker());
        let mut waits = pin!(cache.token());
        assert!(waits.as_mut().poll(&mut Context::from_waker(&first.0)).is_pending());
        let opens = thread::spawn(move || gate.open());
        let is_done = waits.as_mut().poll(&mut Context::from_waker(&second.0)).is_ready();
        opens.join().unwrap();
        assert!(is_done || second.1.1.load(SeqCst) > 0);
    });
}
