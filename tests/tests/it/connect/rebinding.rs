//! A name server that answers something else each time, and a web server that sends elsewhere.

use std::{
    collections::HashSet,
    future::ready,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Empty;
use kimi_errors::BoxError;
use kimi_validate::{
    connect::{Dial, Guard, GuardedConnector, Resolve},
    file_url::{RemoteUrl, UrlPolicy, judge},
    probe::FileProbe,
};
use tower::{ServiceExt, service_fn};

use super::Dialed;

const RUNS: usize = 100_000;

/// Marsaglia's xorshift: the same each time.
#[derive(Clone)]
struct Random(Arc<AtomicU64>);

impl Random {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(0x9e37_79b9_7f4a_7c15)))
    }

    fn below(&self, bound: u64) -> u64 {
        let mut bits = self.0.load(Relaxed);
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        self.0.store(bits, Relaxed);
        (bits >> 11) % bound
    }

    /// Public and not, in both families, and one within the other.
    fn address(&self) -> IpAddr {
        let low = u32::try_from(self.below(1 << 16)).unwrap();
        let base = [
            0x0808_0000,
            0x5db8_0000,
            0x0101_0000,
            0x7f00_0000,
            0x0a00_0000,
            0xa9fe_0000,
            0xc0a8_0000,
        ];
        let v4 = Ipv4Addr::from_bits(base[usize::try_from(self.below(7)).unwrap()] | low);
        let bits = u128::from(v4.to_bits());
        match self.below(12) {
            0 => v4.to_ipv6_mapped().into(),
            1 => Ipv6Addr::from_bits(0x0064_ff9b << 96 | bits).into(),
            2 => Ipv6Addr::from_bits(0x2002 << 112 | bits << 80).into(),
            3 => Ipv6Addr::from_bits(0x2a00_1450 << 96 | u128::from(low)).into(),
            4 => Ipv6Addr::from_bits(0xfe80 << 112 | u128::from(low)).into(),
            _ => v4.into(),
        }
    }

    fn resolver(&self) -> impl Resolve + Send + Sync + 'static {
        let random = self.clone();
        move |_: &str| {
            let count = random.below(4);
            ready(Ok((0..count).map(|_| random.address()).collect()))
        }
    }

    fn url(&self) -> String {
        match self.below(4) {
            0 => match self.address() {
                IpAddr::V4(address) => format!("http://{address}/"),
                IpAddr::V6(address) => format!("http://[{address}]/"),
            },
            1 => format!("http://{}/", self.below(1 << 32)),
            _ => format!("http://{}.example.com/", self.below(8)),
        }
    }
}

/// Refuses one connection of two, so that the other addresses of a name have their turn.
struct Flaky {
    dialed: Dialed,
    random: Random,
}

impl Dial for Flaky {
    type Stream = SocketAddr;

    async fn dial(&self, address: SocketAddr) -> io::Result<(SocketAddr, SocketAddr)> {
        let connection = self.dialed.dial(address).await?;
        match self.random.below(2) {
            0 => Err(io::ErrorKind::ConnectionRefused.into()),
            _ => Ok(connection),
        }
    }
}

/// Every address that was dialed was judged, by itself, and not only by the guard's word.
async fn hold(dialed: &Dialed) {
    let dialed = dialed.0.lock().await;
    for address in &*dialed {
        assert_eq!(judge(address.ip(), &UrlPolicy::new()), Ok(()), "{address}");
    }
    // The collision has happened: many were dialed, and of both families.
    let unique: HashSet<_> = dialed.iter().map(|it| it.ip()).collect();
    assert!(unique.len() > 1_000, "{}", unique.len());
    assert!(unique.iter().any(IpAddr::is_ipv6) && unique.iter().any(IpAddr::is_ipv4));
}

#[tokio::test(start_paused = true)]
async fn no_address_is_dialed_that_was_not_judged() {
    for (runs, pin_lifetime) in [(RUNS, Duration::ZERO), (RUNS / 10, Duration::from_secs(60))] {
        let (random, dialed) = (Random::new(), Dialed::default());
        let guard = Guard::new(UrlPolicy::new())
            .with_resolver(random.resolver())
            .with_dialer(Flaky { dialed: dialed.clone(), random: random.clone() })
            .with_pin_lifetime(pin_lifetime);
        let connector = GuardedConnector::new(guard);
        let (mut connected, mut refused) = (0, 0);
        for _ in 0..runs {
            // Not judged before: whoever calls the connector may have skipped that.
            let uri: Uri = random.url().parse().unwrap();
            match connector.clone().oneshot(uri).await {
                Ok(_) => connected += 1,
                Err(_) => refused += 1,
            }
            if random.below(1_000) == 0 {
                tokio::time::advance(Duration::from_secs(61)).await;
            }
        }
        assert!(connected > runs / 20 && refused > runs / 20, "{connected} {refused}");
        hold(&dialed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nor_after_a_redirect() {
    let (random, dialed) = (Random::new(), Dialed::default());
    let guard = Guard::new(UrlPolicy::new())
        .with_resolver(random.resolver())
        .with_dialer(Flaky { dialed: dialed.clone(), random: random.clone() })
        .with_pin_lifetime(Duration::ZERO);
    let connector = GuardedConnector::new(guard);
    let hops = Arc::new(AtomicUsize::new(0));
    let (server, counter) = (random.clone(), Arc::clone(&hops));
    let client = service_fn(move |request: Request<Empty<Bytes>>| {
        let (connector, random) = (connector.clone(), server.clone());
        counter.fetch_add(1, Relaxed);
        async move {
            connector.oneshot(request.uri().clone()).await?;
            let answer = Response::builder();
            let answer = match random.below(3) {
                0 => answer.header("content-length", 7).header("content-type", "text/plain"),
                _ => answer.status(302).header("location", random.url()),
            };
            Ok::<_, BoxError>(answer.body(Empty::<Bytes>::new())?)
        }
    });
    let probe = FileProbe::new(client);
    let (mut redirected, mut refused) = (0, 0);
    while hops.load(Relaxed) < RUNS {
        let Ok(url) = RemoteUrl::parse(&random.url(), probe.policy()) else { continue };
        match probe.check(&url).await {
            Ok(file) => redirected += usize::from(file.redirects() > 0),
            Err(_) => refused += 1,
        }
    }
    // Few chains end well, where each address and each connection may be refused.
    assert!(redirected > RUNS / 1_000 && refused > RUNS / 20, "{redirected} {refused}");
    hold(&dialed).await;
}
