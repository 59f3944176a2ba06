//! Connections to files, which lead nowhere but to addresses that were judged.
//!
//! A name is judged by what it resolves to, and whoever owns it may change that between one look and
//! the next. So the guard stands where the connection is opened: a [`Guard`] resolves the name once,
//! [judges](crate::file_url::judge) all of its addresses, and dials these and no others. A
//! [`GuardedConnector`] is that for `hyper-util`'s client. An address in the URL goes the same way:
//! clients that take a resolver of one's own do not ask it about `http://2130706433/`.
//! Feature `reqwest` has the same for reqwest, `ReqwestClient`.
//!
//! # Example
//!
//! ```
//! use http_body_util::Empty;
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use kimi_validate::{
//!     connect::{Guard, GuardedConnector},
//!     file_url::{Reason, RemoteUrl, UrlPolicy},
//!     probe::FileProbe,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), kimi_errors::BoxError> {
//! // A name server of the attacker's, who changes one address of two.
//! let guard = Guard::new(UrlPolicy::new()).with_resolver(|name: &str| {
//!     assert_eq!(name, "rebind.example.com");
//!     std::future::ready(Ok(vec![[93, 184, 215, 14].into(), [127, 0, 0, 1].into()]))
//! });
//! // For https, around it: `hyper_rustls::HttpsConnectorBuilder::wrap_connector`, which asks for the
//! // certificate of the name in the URL.
//! let connector = GuardedConnector::new(guard);
//! let client = Client::builder(TokioExecutor::new())
//!     // See "Cost".
//!     .http1_max_buf_size(32 * 1024)
//!     .build::<_, Empty<bytes::Bytes>>(connector);
//!
//! let probe = FileProbe::new(client);
//! let url = RemoteUrl::parse("http://rebind.example.com/a.pdf", probe.policy())?;
//! let refused = probe.check(&url).await.unwrap_err();
//! assert_eq!(refused.reason(), Reason::Unreachable);
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! - C1. No address is dialed that was not judged, and the judged bytes are the dialed ones.
//! - C2. If one address of a name is refused, all are.
//! - C3. A connection whose other end is not the address that was dialed is not used.
//! - C4. A name is resolved once for each connection; for [a while](Guard::with_pin_lifetime) its
//!   addresses are used again, so that a file is fetched from where it was checked.
//! - C5. Resolving and dialing end with the [deadline](Guard::with_deadline).
//! - C6. Whatever fails, the reason is [`Reason::Unreachable`](crate::file_url::Reason::Unreachable);
//!   the cause is its private source.
//!
//! The name in the URL stays that of the `Host` field and of TLS. No proxy of the system's is used: the
//! connector knows of none.
//!
//! The system's resolver is asked for a [full name](SystemResolver), which no `search` list changes.
//!
//! # With reqwest
//!
//! `ReqwestClient` leaves reqwest's connector in place, and stands before and behind it:
//!
//! - C1 holds for URLs and for what the resolver is asked. It does not for addresses that the builder
//!   has from elsewhere: those of `.resolve()` and `.resolve_to_addrs()`, and the path of
//!   `.unix_socket()`, are dialed without a question, TLS is negotiated, and only then is the
//!   connection dropped, before a request is sent, because of where it leads. **The builder must have
//!   none of these.**
//! - C2 and C6 hold.
//! - C3 is weaker: the other end must be an address that is allowed, not the very one that was dialed.
//! - C4 holds, but reqwest dials the judged addresses by itself, those of both families in a race.
//! - C5 holds by reqwest's `connect_timeout`, which is set to the guard's deadline. TLS is included.
//!
//! What a builder adds to every request goes to whoever the URL names, an attacker's server too. **It
//! must have no `.default_headers()` with credentials, no cookie store and no client certificate** that
//! is not for everybody.
//!
//! # Cost
//!
//! A server decides how far the buffers of a client grow, up to the client's own bounds, which are made
//! for whom one trusts. Bytes that one check had at most, by a counting allocator, over sockets of one
//! machine, in a build for tests; the tasks of the client are included, the system's buffers and TLS not:
//!
//! | client | endless body | head of 400 KB | a byte in each chunk |
//! |---|---|---|---|
//! | `hyper-util`, HTTP/1, `http1_max_buf_size(32 * 1024)` | 107 KB | 99 KB, refused | 107 KB |
//! | `hyper-util`, HTTP/2, stream and connection windows of 64 KiB, frames of 16 KiB | 103 to 111 KB | | |
//! | `hyper-util` as it is, HTTP/1 | | 787 KB | |
//! | `hyper-util` as it is, HTTP/2 | 1.1 to 2.2 MB | | |
//! | `ReqwestClient` | 780 KB | 793 to 818 KB | 207 KB |
//!
//! So set `http1_max_buf_size`, and for HTTP/2 `http2_initial_stream_window_size`,
//! `http2_initial_connection_window_size` and `http2_max_frame_size`: then a check takes no more than
//! 128 KiB. Of reqwest's client no buffer of HTTP/1 can be set; `ReqwestClient` speaks nothing else, and a
//! check takes no more than 1 MiB. A guard's pins take 500 KB at most, for all.
//!
//! # Cancellation
//!
//! Dropping the future gives up the connection. A look-up of the system's resolver that has begun ends
//! on its own thread, and its answer is dropped. Until then it is one of the 64 that there may be.
//!
//! # Caveats
//!
//! - A client's pool keeps connections. They lead to where they were judged to lead when they were
//!   opened, also after a policy has changed.
//! - Addresses are tried one after the other, in the order of the resolver's answer. Of more than 8,
//!   all are judged, and the first 8 are kept.
//! - Look-ups of the [system's resolver](SystemResolver) can starve one another: who names 64 hosts
//!   whose name server is silent makes others wait until the system gives these up, and so be refused
//!   at their deadline. A guard of its own has its own 64; a resolver that is not `getaddrinfo` needs
//!   no such bound.
//! - What happens to packets on their way, such as a NAT or a transparent proxy of one's own network,
//!   cannot be seen from here.

mod connector;
mod dial;
mod guard;
mod pins;
#[cfg(feature = "reqwest")]
mod reqwest;
mod resolve;

#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestClient;
pub use self::{
    connector::{Connecting, GuardedConnector},
    dial::{Dial, TcpDialer},
    guard::Guard,
    resolve::{Resolve, SystemResolver},
};
