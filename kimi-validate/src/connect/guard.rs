use std::{
    error::Error as StdError,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::{Dial, Resolve, SystemResolver, TcpDialer, pins::Pins};
use crate::file_url::{Reason, Refused, RemoteUrl, UrlPolicy, judge};

/// How many addresses of a name are kept and tried: 8. Ours: its owner might list thousands, to have
/// them dialed and remembered here.
const MAX_DIALED: usize = 8;

/// The longest duration that a clock is set by: a year. What is longer is as good as for ever, and may
/// be more than a clock can count.
const MAX_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Finds the addresses of a URL, judges them, and dials none but these. See the [module](super).
///
/// Clones share what they have pinned.
#[must_use]
pub struct Guard<R = SystemResolver, D = TcpDialer> {
    resolver: Arc<R>,
    dialer: Arc<D>,
    policy: Arc<UrlPolicy>,
    deadline: Duration,
    pin_lifetime: Duration,
    /// Names and their addresses. Locked for a look or an insertion, and never across an await.
    pins: Arc<Mutex<Pins>>,
}

impl Guard {
    /// Creates a guard with the system's resolver, over TCP: 5 s for each connection, and 60 s for
    /// which a name keeps its addresses.
    pub fn new(policy: impl Into<Arc<UrlPolicy>>) -> Self {
        Self {
            resolver: Arc::new(SystemResolver::new()),
            dialer: Arc::new(TcpDialer::new()),
            policy: policy.into(),
            deadline: Duration::from_secs(5),
            pin_lifetime: Duration::from_secs(60),
            pins: Arc::default(),
        }
    }
}

impl<R, D> Guard<R, D> {
    /// Sets who finds the addresses of names. What was pinned before is forgotten.
    pub fn with_resolver<T>(self, resolver: T) -> Guard<T, D> {
        Guard {
            resolver: Arc::new(resolver),
            dialer: self.dialer,
            policy: self.policy,
            deadline: self.deadline,
            pin_lifetime: self.pin_lifetime,
            pins: Arc::default(),
        }
    }

    /// Sets who opens connections.
    pub fn with_dialer<T>(self, dialer: T) -> Guard<R, T> {
        Guard {
            resolver: self.resolver,
            dialer: Arc::new(dialer),
            policy: self.policy,
            deadline: self.deadline,
            pin_lifetime: self.pin_lifetime,
            pins: self.pins,
        }
    }

    /// Sets how long resolving and dialing may take together, a year at most. Default: 5 s, half of
    /// what a probe may.
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = capped(deadline);
        self
    }

    /// Sets for how long the addresses of a name are used again, from when they were judged; zero for
    /// not at all, and a year at most. Default: 60 s, ours: for a file to be fetched from where it was checked.
    pub const fn with_pin_lifetime(mut self, lifetime: Duration) -> Self {
        self.pin_lifetime = capped(lifetime);
        self
    }

    /// Returns which addresses are allowed.
    #[must_use]
    pub fn policy(&self) -> &Arc<UrlPolicy> {
        &self.policy
    }

    /// Returns how long a connection may take.
    #[cfg(feature = "reqwest")]
    pub(super) const fn deadline(&self) -> Duration {
        self.deadline
    }
}

impl<R, D> Guard<R, D>
where
    R: Resolve,
{
    /// Returns the addresses to dial for a URL: the first 8 that it has, if all that it has are
    /// allowed, those behind the 8th too.
    ///
    /// # Errors
    ///
    /// [`Reason::Unreachable`], whatever the cause: there are none, or one may not be dialed.
    pub async fn vet(&self, url: &RemoteUrl) -> Result<Vec<SocketAddr>, Refused> {
        let addresses = match url.address() {
            Some(address) => vec![self.allowed(address)?],
            None => self.addresses_of(url.host()).await?,
        };
        let port = url.port();
        // One of IPv4 in the clothes of IPv6 is what the kernel dials anyway.
        Ok(addresses.into_iter().map(|it| SocketAddr::new(it.to_canonical(), port)).collect())
    }

    /// Returns the addresses of a name, in time.
    #[cfg(feature = "reqwest")]
    pub(super) async fn judged(&self, name: &str) -> Result<Vec<IpAddr>, Refused> {
        timeout(self.deadline, self.addresses_of(name)).await.map_err(unreachable)?
    }

    async fn addresses_of(&self, name: &str) -> Result<Vec<IpAddr>, Refused> {
        if let Some(pinned) = self.pins.lock().await.get(name, Instant::now()) {
            return Ok(pinned);
        }
        let mut found = self.resolver.resolve(name).await.map_err(unreachable)?;
        if found.is_empty() {
            return Err(unreachable(Broken::NoAddress));
        }
        // All of them, not only those that will be tried: who mixes them in is up to something.
        found.iter().try_for_each(|address| self.allowed(*address).map(drop))?;
        found.truncate(MAX_DIALED);
        // Whoever holds them for long holds no more than these.
        found.shrink_to_fit();
        self.pins.lock().await.put(name, &found, Instant::now(), self.pin_lifetime);
        Ok(found)
    }

    fn allowed(&self, address: IpAddr) -> Result<IpAddr, Refused> {
        judge(address, &self.policy).map(|()| address).map_err(unreachable)
    }
}

impl<R, D> Guard<R, D>
where
    R: Resolve,
    D: Dial,
{
    /// Returns a connection to one of the addresses of a URL, all of which are allowed.
    ///
    /// # Errors
    ///
    /// [`Reason::Unreachable`], whatever the cause.
    pub async fn connect(&self, url: &RemoteUrl) -> Result<D::Stream, Refused> {
        let until = Instant::now() + self.deadline;
        let addresses = timeout(self.deadline, self.vet(url)).await.map_err(unreachable)??;
        let mut last = unreachable(Broken::NoAddress);
        for (index, address) in addresses.iter().enumerate() {
            // The time that is left is shared out, so that one address which never answers does not
            // take that of the others.
            let shares = u32::try_from(addresses.len() - index).unwrap_or(1);
            let share = until.saturating_duration_since(Instant::now()) / shares;
            match timeout(share, self.dialer.dial(*address)).await {
                Ok(Ok((stream, peer))) if is_same(peer, *address) => return Ok(stream),
                Ok(Ok(_)) => return Err(unreachable(Broken::OtherPeer)),
                Ok(Err(error)) => last = unreachable(error),
                Err(elapsed) => last = unreachable(elapsed),
            }
        }
        Err(last)
    }
}

impl<R, D> Clone for Guard<R, D> {
    fn clone(&self) -> Self {
        Self {
            resolver: Arc::clone(&self.resolver),
            dialer: Arc::clone(&self.dialer),
            policy: Arc::clone(&self.policy),
            pins: Arc::clone(&self.pins),
            ..*self
        }
    }
}

impl<R, D> fmt::Debug for Guard<R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("policy", &self.policy)
            .field("deadline", &self.deadline)
            .field("pin_lifetime", &self.pin_lifetime)
            .finish_non_exhaustive()
    }
}

const fn capped(duration: Duration) -> Duration {
    if duration.as_secs() < MAX_DURATION.as_secs() { duration } else { MAX_DURATION }
}

fn is_same(peer: SocketAddr, address: SocketAddr) -> bool {
    peer.ip().to_canonical() == address.ip().to_canonical() && peer.port() == address.port()
}

/// One public reason for all: which of them it was tells what there is behind us.
fn unreachable(cause: impl StdError + Send + Sync + 'static) -> Refused {
    Refused::because(Reason::Unreachable, cause)
}

/// What no system call reports, as the private cause of a refusal.
#[derive(Debug)]
enum Broken {
    NoAddress,
    OtherPeer,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAddress => "the name has no address",
            Self::OtherPeer => "the connection leads to another address than was dialed",
        })
    }
}

impl StdError for Broken {}
