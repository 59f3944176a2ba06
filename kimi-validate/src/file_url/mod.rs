//! File URLs, checked before anything is fetched.
//!
//! A chat request may name files for the model to read. Whoever fetches them makes a request of the
//! caller's choosing from inside of a network, where machines trust one another: server-side request
//! forgery. The article checks that such a URL begins with `http://` or `https://`, that the file is
//! not larger than 100 MB, and that it is of a known type. A [`FileUrl`] exists only if it also leads
//! out of the network, as far as a URL can tell.
//!
//! # Example
//!
//! ```
//! use kimi_errors::Lang;
//! use kimi_validate::file_url::{FileUrl, Reason, UrlPolicy};
//!
//! let policy = UrlPolicy::new();
//! assert!(FileUrl::parse("https://example.com/report.pdf", &policy).is_ok());
//!
//! // 127.0.0.1, in a form that many filters have let through.
//! let refused = FileUrl::parse("http://2130706433/admin?key=hunter2", &policy).unwrap_err();
//! assert_eq!((refused, refused.as_str()), (Reason::Address, "address"));
//! // On the wire: the article's -2003 with 400, and nothing of the URL.
//! let error = refused.into_error(Lang::En);
//! assert_eq!((error.errcode(), error.status()), (-2003, 400));
//! assert_eq!(error.message(), "remote file URL not acceptable: its address is not a public one");
//! ```
//!
//! # Threat model
//!
//! The attacker writes the URL, runs the server and the name server that it names, and sees our
//! answers. What is to be protected are the services that can be reached from here and not from
//! outside, the credentials that a cloud hands to its machines, and the knowledge of which hosts and
//! ports there are.
//!
//! | attack | what stands against it | where |
//! |---|---|---|
//! | `file:`, `gopher:` and other schemes | `http`, `https` and `data:` alone | here |
//! | an inner address, in decimal, octal, hexadecimal, short or full-width form | parsed by WHATWG's rules, then judged as a number | here |
//! | one of IPv4 inside of one of IPv6: mapped, compatible, 6to4, Teredo, ISATAP, NAT64 under the well-known prefix | unwrapped, and both judged | here |
//! | the same, NAT64 under a prefix of one's own network | unwrapped, **if the prefix is [named](UrlPolicy::with_nat64_prefixes)** | here |
//! | another address that no public file has | [`judge`]: all of IANA's special-purpose ranges; of IPv6 nothing but what regional registries have | here |
//! | metadata services of clouds | their addresses and names, also those in public space | here |
//! | `localhost`, `printer`, `db.internal` | names of one label and of local networks are refused | here |
//! | a trailing dot, which slips by lists of names | refused | here |
//! | `http://example.com@10.0.0.1/` and the like | user names and passwords are refused | here |
//! | tabs, backslashes, missing slashes: what parsers repair, each in its own way | nothing that takes repair is let through, so that whoever fetches the URL reads it as it was judged | here |
//! | other services of a public host | ports 80 and 443 | here |
//! | a public name that leads to an inner address, now or the second time it is resolved | every address is judged, and what was judged is what is dialed | feature `connect` |
//! | a redirect to any of these | every hop is judged like the first | feature `probe` |
//! | a file that is endless, slow, or larger than it says | deadlines, and bytes counted as they come | feature `probe` |
//! | a bomb in gzip | compressed answers are not asked for and never inflated | feature `probe` |
//! | which inner hosts and ports exist, told by answers | one [`Reason`] for all that fails on the way, whatever the cause | `probe`, `connect` |
//! | credentials in URLs, told by logs | no reason, message or `Debug` quotes user name, path or query | here |
//!
//! # Not covered
//!
//! - **Parsing alone does not make a URL safe to fetch.** A public name may resolve to an inner
//!   address, as those of `nip.io` do on purpose. Fetch it through `connect`, or from where nothing
//!   can be reached.
//! - Who fetches the file later, and is not us, resolves the name again. Its own egress rules must
//!   hold.
//! - Whether the file is what its type says, whether it is harmful, and whom it belongs to.
//! - Public addresses that one's own network treats as inner ones, unless they are
//!   [denied](UrlPolicy::with_denied_ranges): no table knows them.
//! - A public server that forwards to inner ones.
//! - How long the whole takes, to the microsecond: an answer that comes later tells that more was
//!   tried. With `probe`'s deadline the difference has a bound.
//! - NAT64 under a prefix of one's own that was not named: an inner address behind it passes, if the
//!   prefix is of public space.
//! - The tables of addresses and names are copies. What IANA makes special later is public here until
//!   they are copied again; in IPv6, the blocks that it gives to registries later are refused until
//!   then, or until they are [allowed](UrlPolicy::with_allowed_ranges).

mod address;
mod data;
mod host;
mod in_request;
mod media;
mod parse;
mod policy;
mod raw;
mod reason;
mod refused;

pub use self::{
    address::{InvalidPrefix, InvalidRange, IpRange, judge},
    data::DataUrl,
    host::InvalidHost,
    in_request::{FileViolation, FileViolations, RemoteFile},
    media::MediaTypes,
    parse::{FileUrl, RemoteUrl},
    policy::UrlPolicy,
    reason::Reason,
    refused::Refused,
};
