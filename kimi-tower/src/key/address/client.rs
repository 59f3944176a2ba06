//! The caller by its address.

use std::{error::Error as StdError, fmt, net::IpAddr, sync::Arc};

use http::{Extensions, HeaderMap, request::Parts};
use kimi_errors::{Error, ErrorKind};

use super::{Cidr, CidrError, cidr::cut, hops::Field};
use crate::key::{ExtractKey, Key, KeyHasher};

/// The most hops that are looked at: 32, ours. Chains of proxies have a handful; the rest is only
/// work that someone wants us to do. The last one looked at then counts as the client.
const MAX_HOPS: usize = 32;

/// How much of an IPv6 address is one caller: 64 bits, since a subscriber has at least the 2^64
/// addresses of one subnet (RFC 4291 §2.5.4, RFC 6177) and can take another for each request.
const IPV6_PREFIX: u8 = 64;

/// The caller by the address of the client, behind proxies that are trusted.
///
/// Whose word counts:
///
/// 1. The peer's address is what the closure makes of the extensions.
/// 2. If the peer is not a trusted proxy, it is the client, and no field is looked at.
/// 3. Else the hops that the field names are gone through from right to left, that is from the
///    nearest on, for as long as they are trusted proxies. The first that is not is the client. What
///    stands further left anybody can have written.
/// 4. An entry without a valid address (malformed, `unknown`, obfuscated) ends the way, as does the
///    end of the field or the 32nd hop: the last hop before is the client.
///
/// The field is `x-forwarded-for`, or, if [so chosen](Self::with_forwarded), `forwarded`; never
/// both, since a proxy that writes one passes on what a client wrote into the other.
///
/// ```text
/// x-forwarded-for: 6.6.6.6, 203.0.113.7, 10.0.0.2      peer 10.0.0.1, trusted 10.0.0.0/8
///                  forged   the client   trusted
/// ```
///
/// IPv4-mapped addresses are IPv4. Of an IPv6 address the first 64 bits count
/// ([`try_with_ipv6_prefix`](Self::try_with_ipv6_prefix)).
///
/// With axum, `into_make_service_with_connect_info::<SocketAddr>()` leaves the peer's address in the
/// extensions:
///
/// ```text
/// ClientAddress::new(|it| it.get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip()))
/// ```
///
/// # Errors
///
/// [`System`](ErrorKind::System) if the peer is not known: one bucket for everybody is what nobody
/// wants who limits addresses, and so the mistake shows with the first request.
///
/// ```
/// use std::net::IpAddr;
/// use http::Request;
/// use kimi_errors::BoxError;
/// use kimi_tower::key::{Cidr, ClientAddress, ExtractKey, KeyHasher};
///
/// let trusted: Cidr = "10.0.0.0/8".parse()?;
/// let address = ClientAddress::new(|it| it.get::<IpAddr>().copied()).with_trusted_proxies([trusted]);
/// let hasher = KeyHasher::new();
/// let key = |peer: &str, forwarded: &str| {
///     let peer: IpAddr = peer.parse()?;
///     let request = Request::get("/").extension(peer).header("x-forwarded-for", forwarded);
///     Ok::<_, BoxError>(address.extract(&request.body(())?.into_parts().0, &hasher)?)
/// };
/// let client = key("203.0.113.7", "")?;
/// assert_eq!(key("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.2")?, client);
/// // Nobody is believed who is not trusted.
/// assert_eq!(key("203.0.113.7", "6.6.6.6")?, client);
/// # Ok::<_, BoxError>(())
/// ```
#[derive(Clone)]
pub struct ClientAddress<P> {
    peer: P,
    trusted: Arc<[Cidr]>,
    field: Field,
    ipv6_prefix: u8,
}

impl<P> ClientAddress<P>
where
    // Here too, so that a closure's argument needs no type.
    P: Fn(&Extensions) -> Option<IpAddr>,
{
    /// Creates an extractor that asks the closure for the peer's address and trusts no proxy.
    #[must_use]
    pub fn new(peer: P) -> Self {
        Self { peer, trusted: Arc::new([]), field: Field::XForwardedFor, ipv6_prefix: IPV6_PREFIX }
    }

    /// Returns the client's address, IPv4 if it can be.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        // Most services have no proxy in front, and look at no field.
        if self.trusts(peer) {
            let mut hops = self.field.hops(headers).take(MAX_HOPS);
            while self.trusts(client) {
                let Some(Some(hop)) = hops.next() else { break };
                client = hop;
            }
        }
        client.to_canonical()
    }
}

impl<P> ClientAddress<P> {
    /// Sets the proxies whose word about whom they heard is taken. None by default.
    ///
    /// They are those in front of the service, and each has to append to the field, or to set it
    /// anew: a network that clients are in must not be among them.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: impl IntoIterator<Item = Cidr>) -> Self {
        self.trusted = proxies.into_iter().collect();
        self
    }

    /// Reads `forwarded` (RFC 7239) in place of `x-forwarded-for`.
    #[must_use]
    pub const fn with_forwarded(mut self) -> Self {
        self.field = Field::Forwarded;
        self
    }

    /// Sets how many bits of an IPv6 address are one caller: 32 to 128, by default 64. RFC 6177 has
    /// sites get 48 to 64; 32 is what a provider gets, and 128 tells the addresses apart that
    /// everybody has 2^64 of.
    ///
    /// # Errors
    ///
    /// [`Prefix`](CidrError::Prefix) for any other number.
    pub fn try_with_ipv6_prefix(mut self, bits: u8) -> Result<Self, CidrError> {
        if !(32..=128).contains(&bits) {
            return Err(CidrError::Prefix);
        }
        self.ipv6_prefix = bits;
        Ok(self)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Returns what of the client's address is one caller.
    fn network(&self, client: IpAddr) -> IpAddr {
        if client.is_ipv6() { cut(client, self.ipv6_prefix) } else { client }
    }
}

impl<P> ExtractKey for ClientAddress<P>
where
    P: Fn(&Extensions) -> Option<IpAddr>,
{
    fn extract(&self, head: &Parts, hasher: &KeyHasher) -> Result<Option<Key>, Error> {
        let Some(peer) = (self.peer)(&head.extensions) else {
            return Err(Error::new(ErrorKind::System).with_source(UnknownPeer));
        };
        let client = self.client(peer, &head.headers);
        Ok(Some(match self.network(client) {
            IpAddr::V4(network) => hasher.single(4, &network.octets()),
            IpAddr::V6(network) => hasher.single(6, &network.octets()),
        }))
    }
}

impl<P> fmt::Debug for ClientAddress<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAddress")
            .field("trusted", &self.trusted)
            .field("field", &self.field)
            .field("ipv6_prefix", &self.ipv6_prefix)
            .finish_non_exhaustive()
    }
}

/// What is missing, for whoever runs the service.
#[derive(Debug)]
struct UnknownPeer;

impl fmt::Display for UnknownPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request's extensions do not have the address of the peer")
    }
}

impl StdError for UnknownPeer {}
