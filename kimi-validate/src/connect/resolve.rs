use std::{
    fmt, io,
    net::{IpAddr, ToSocketAddrs},
    sync::Arc,
};

use tokio::{sync::Semaphore, task::spawn_blocking};

/// How many names the system is asked for at once: 64. Ours: of the 512 threads that tokio has for what
/// blocks, look-ups are not to take all.
const MAX_LOOKUPS: usize = 64;

/// Finds the addresses of a name. A closure that returns a future is one.
pub trait Resolve {
    /// Returns all addresses of a name, in the order in which they are to be tried. The name is in
    /// lower case and ASCII, and without a dot at its end.
    fn resolve(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

impl<F, A> Resolve for F
where
    F: Fn(&str) -> A,
    A: Future<Output = io::Result<Vec<IpAddr>>> + Send,
{
    fn resolve(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send {
        self(name)
    }
}

/// Asks the operating system, as `getaddrinfo` does, on tokio's threads for what blocks.
///
/// A name with a dot in it is asked for as it is, with a dot at its end, RFC 1034 §3.1: the `search`
/// list of `resolv.conf` makes inner names of short ones, such as `redis.prod` in a Kubernetes cluster.
/// In `/etc/hosts` names have no dot at their end, so that none of these is found there either. Only a
/// name of one label goes by the search list and by `/etc/hosts`, and a policy lets none through that
/// it does not [list](crate::file_url::UrlPolicy::with_allowed_hosts).
///
/// At most 64 names are asked for at once, by a resolver and its clones. Nobody can call off a look-up:
/// one whose caller has gone counts until the system gives it up, which takes up to 40 s with some
/// settings. Others wait that long, each until its own deadline.
#[derive(Clone)]
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
    ask: fn(&str) -> io::Result<Vec<IpAddr>>,
}

impl SystemResolver {
    /// Creates the resolver.
    #[must_use]
    pub fn new() -> Self {
        Self { lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)), ask }
    }
}

impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let permit = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        let (name, ask) = (absolute(name), self.ask);
        let asked = spawn_blocking(move || {
            let found = ask(&name);
            // With the thread, and not with the caller, who may have gone long ago.
            drop(permit);
            found
        });
        asked.await.map_err(io::Error::other)?
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SystemResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemResolver").finish_non_exhaustive()
    }
}

fn ask(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// Returns the name as no search list changes it, if it has a dot.
fn absolute(name: &str) -> String {
    let end = if name.contains('.') && !name.ends_with('.') { "." } else { "" };
    [name, end].concat()
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::{
            Barrier, LazyLock,
            atomic::{AtomicUsize, Ordering::SeqCst},
        },
        task::{Context, Waker},
    };

    use super::*;

    fn asking(ask: fn(&str) -> io::Result<Vec<IpAddr>>) -> SystemResolver {
        SystemResolver { ask, ..SystemResolver::new() }
    }

    #[tokio::test]
    async fn no_search_list_applies_to_a_name_with_a_dot() {
        let resolver = asking(|name| Err(io::Error::other(name.to_owned())));
        for (name, expected) in [
            ("redis.prod", "redis.prod."),
            ("example.com", "example.com."),
            ("example.com.", "example.com."),
            ("minio", "minio"),
        ] {
            assert_eq!(resolver.resolve(name).await.unwrap_err().to_string(), expected);
        }
    }

    static STARTED: AtomicUsize = AtomicUsize::new(0);
    /// Where the first wait for the test.
    static STUCK: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(MAX_LOOKUPS + 1));

    /// As a name server that does not answer for long.
    fn stuck(_: &str) -> io::Result<Vec<IpAddr>> {
        if STARTED.fetch_add(1, SeqCst) < MAX_LOOKUPS {
            STUCK.wait();
        }
        Ok(vec![[8, 8, 8, 8].into()])
    }

    #[tokio::test]
    async fn a_lookup_counts_until_its_thread_is_free() {
        let resolver = asking(stuck);
        for _ in 0..3 * MAX_LOOKUPS {
            // Begun, and given up at once.
            let clone = resolver.clone();
            let mut lookup = pin!(clone.resolve("example.com"));
            let _ = lookup.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        while STARTED.load(SeqCst) < MAX_LOOKUPS {
            tokio::task::yield_now().await;
        }
        let mut waiting = pin!(resolver.resolve("example.com"));
        let polled = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let counted = (resolver.lookups.available_permits(), STARTED.load(SeqCst));
        // Before anything is asserted: a runtime waits for its threads.
        STUCK.wait();
        assert!(polled.is_pending());
        assert_eq!(counted, (0, MAX_LOOKUPS));
        assert_eq!(waiting.await.unwrap(), [IpAddr::from([8, 8, 8, 8])]);
        assert_eq!(STARTED.load(SeqCst), MAX_LOOKUPS + 1);
    }
}
