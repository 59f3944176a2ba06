//! Files that are being asked about, several at once.

use std::pin::Pin;

use kimi_errors::Error;

#[cfg(feature = "probe")]
pub(super) use self::prober::Prober;

/// Ends when all files may be fetched, or with the refusal of the request.
pub(super) type Probing = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

#[cfg(feature = "probe")]
mod prober {
    use std::{
        collections::{BTreeMap, HashMap},
        future::poll_fn,
        pin::Pin,
        sync::Arc,
        task::{Context, Poll},
        time::Duration,
    };

    use http::{Request, Response};
    use http_body::Body;
    use kimi_errors::{BoxError, Lang};
    use kimi_validate::{
        file_url::{FileViolations, Reason, Refused, RemoteFile, RemoteUrl},
        probe::FileProbe,
    };
    use tokio::sync::Semaphore;
    use tower_service::Service;

    use super::Probing;

    /// How many files of one request are asked about at once: 4. Ours: a request may name thousands,
    /// all at one victim.
    const AT_ONCE: usize = 4;

    /// How many files of all requests are asked about at once: 64. Ours: each takes a connection, and
    /// the memory of a check.
    const ALL_AT_ONCE: usize = 64;

    /// How long all files of one request may take: 30 s, as long as kimi-free-api waits for a file
    /// (facts, limits). A file that is not known by then is unreachable.
    const DEADLINE: Duration = Duration::from_secs(30);

    type Checking = Pin<Box<dyn Future<Output = Result<(), Refused>> + Send>>;

    /// A [`FileProbe`], whatever its client. Clones have the bound on all checks in common.
    #[derive(Clone)]
    pub(in crate::validate) struct Prober {
        check: Arc<dyn Fn(RemoteUrl) -> Checking + Send + Sync>,
        /// Taken by a check before it begins, until it has ended or was dropped.
        checks: Arc<Semaphore>,
    }

    impl Prober {
        pub(in crate::validate) fn new<S, ReqBody, ResBody>(probe: FileProbe<S>) -> Self
        where
            S: Service<Request<ReqBody>, Response = Response<ResBody>>,
            S: Clone + Send + Sync + 'static,
            S::Error: Into<BoxError> + Send,
            S::Future: Send,
            ReqBody: Default + Send + 'static,
            ResBody: Body + Send + 'static,
            ResBody::Data: Send,
            ResBody::Error: Into<BoxError>,
        {
            let probe = Arc::new(probe);
            let check = move |url: RemoteUrl| -> Checking {
                let probe = Arc::clone(&probe);
                Box::pin(async move { probe.check(&url).await.map(drop) })
            };
            Self { check: Arc::new(check), checks: Arc::new(Semaphore::new(ALL_AT_ONCE)) }
        }

        fn checking(&self, url: RemoteUrl) -> Checking {
            let Self { check, checks } = self.clone();
            Box::pin(async move {
                // The time of a check begins with its turn; what it waited for that is the round's.
                let _turn = checks
                    .acquire_owned()
                    .await
                    .map_err(|closed| Refused::because(Reason::Unreachable, closed))?;
                check(url).await
            })
        }

        pub(in crate::validate) fn probing(&self, files: Vec<RemoteFile>, lang: Lang) -> Probing {
            let prober = self.clone();
            Box::pin(async move {
                let mut round = Round::new(prober, files);
                // The round keeps what it knows when the time is over.
                let _ = tokio::time::timeout(DEADLINE, poll_fn(|cx| round.poll(cx))).await;
                match FileViolations::new(round.refused()) {
                    None => Ok(()),
                    Some(violations) => {
                        tracing::debug!(
                            reason = violations.first().reason().as_str(),
                            pointer = violations.first().pointer(),
                            listed = violations.as_slice().len(),
                            "a file was refused"
                        );
                        Err(violations.into_error(lang))
                    }
                }
            })
        }
    }

    /// The files of one request.
    struct Round {
        prober: Prober,
        /// Each place, with the index of its URL.
        places: Vec<(String, usize)>,
        /// Each once, in the order of the input.
        urls: Vec<RemoteUrl>,
        /// The next URL that nobody has asked about.
        next: usize,
        /// `AT_ONCE` at most, by the index of their URL.
        running: Vec<(usize, Checking)>,
        /// By the index of their URL, whichever was known first.
        verdicts: BTreeMap<usize, Option<Reason>>,
    }

    impl Round {
        fn new(prober: Prober, files: Vec<RemoteFile>) -> Self {
            let (mut places, mut urls) = (Vec::with_capacity(files.len()), Vec::new());
            let mut known = HashMap::new();
            for RemoteFile { pointer, url, .. } in files {
                // The fragment is not sent: what comes is the same.
                let sent = url.as_str().split('#').next().unwrap_or_default();
                let index = match known.get(sent) {
                    Some(index) => *index,
                    None => {
                        known.insert(sent.to_owned(), urls.len());
                        urls.push(url);
                        urls.len() - 1
                    }
                };
                places.push((pointer, index));
            }
            let (running, verdicts) = (Vec::new(), BTreeMap::new());
            Self { prober, places, urls, next: 0, running, verdicts }
        }

        fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            loop {
                while self.running.len() < AT_ONCE && self.next < self.urls.len() {
                    let checking = self.prober.checking(self.urls[self.next].clone());
                    self.running.push((self.next, checking));
                    self.next += 1;
                }
                if self.running.is_empty() {
                    return Poll::Ready(());
                }
                let before = self.verdicts.len();
                let verdicts = &mut self.verdicts;
                self.running.retain_mut(|(index, checking)| match checking.as_mut().poll(cx) {
                    Poll::Ready(verdict) => {
                        verdicts.insert(*index, verdict.err().map(|refused| refused.reason()));
                        false
                    }
                    Poll::Pending => true,
                });
                // Whoever is left was polled and will wake us; whoever takes the place of another
                // was not yet.
                if self.verdicts.len() == before {
                    return Poll::Pending;
                }
            }
        }

        fn refused(self) -> impl Iterator<Item = (String, Reason)> {
            let Self { places, verdicts, .. } = self;
            places.into_iter().filter_map(move |(pointer, index)| {
                let reason = verdicts.get(&index).copied().unwrap_or(Some(Reason::Unreachable));
                reason.map(|reason| (pointer, reason))
            })
        }
    }
}
