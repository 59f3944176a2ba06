//! The ranges that no public file is in, each with who says so.
//!
//! Every row of IANA's two registries of special-purpose addresses is refused, also the few that are
//! reachable from everywhere: behind these stand relays and sinks, and never a file. Only the two that
//! are nothing but the IPv4 address in them are judged by it, `::ffff:0:0/96` and `64:ff9b::/96`.
//!
//! - <https://www.iana.org/assignments/iana-ipv4-special-registry>
//! - <https://www.iana.org/assignments/iana-ipv6-special-registry>
//! - <https://www.iana.org/assignments/ipv6-unicast-address-assignments>

use std::net::{Ipv4Addr, Ipv6Addr};

/// IPv4: all is public but these.
pub(super) const V4: &[(Ipv4Addr, u8)] = &[
    (v4(0, 0, 0, 0), 8), // this network, RFC 791 §3.2; Linux dials itself for 0.0.0.0
    (v4(10, 0, 0, 0), 8), // private, RFC 1918
    (v4(100, 64, 0, 0), 10), // shared by a carrier's customers, RFC 6598
    (v4(127, 0, 0, 0), 8), // loopback, RFC 1122 §3.2.1.3
    (v4(169, 254, 0, 0), 16), // link-local, RFC 3927
    (v4(172, 16, 0, 0), 12), // private, RFC 1918
    (v4(192, 0, 0, 0), 24), // IETF protocols, RFC 6890 §2.1, with PCP and TURN anycast in it
    (v4(192, 0, 2, 0), 24), // documentation, RFC 5737
    (v4(192, 31, 196, 0), 24), // AS112, RFC 7535
    (v4(192, 52, 193, 0), 24), // AMT, RFC 7450
    (v4(192, 88, 99, 0), 24), // relays of 6to4, RFC 7526
    (v4(192, 168, 0, 0), 16), // private, RFC 1918
    (v4(192, 175, 48, 0), 24), // AS112, RFC 7534
    (v4(198, 18, 0, 0), 15), // benchmarks, RFC 2544
    (v4(198, 51, 100, 0), 24), // documentation, RFC 5737
    (v4(203, 0, 113, 0), 24), // documentation, RFC 5737
    (v4(224, 0, 0, 0), 4), // multicast, RFC 5771
    (v4(240, 0, 0, 0), 4), // reserved, RFC 1112 §4, with the broadcast address, RFC 919
];

/// IPv6: nothing is public but these, which IANA has given to regional registries. Rows
/// that follow one another are written as one.
pub(super) const V6_GIVEN: &[(Ipv6Addr, u8)] = &[
    (v6([0x2001, 0x200, 0, 0, 0, 0, 0, 0]), 23),  // APNIC
    (v6([0x2001, 0x400, 0, 0, 0, 0, 0, 0]), 22),  // ARIN, RIPE NCC
    (v6([0x2001, 0x800, 0, 0, 0, 0, 0, 0]), 21),  // RIPE NCC, APNIC
    (v6([0x2001, 0x1200, 0, 0, 0, 0, 0, 0]), 23), // LACNIC
    (v6([0x2001, 0x1400, 0, 0, 0, 0, 0, 0]), 22), // RIPE NCC
    (v6([0x2001, 0x1800, 0, 0, 0, 0, 0, 0]), 21), // ARIN, RIPE NCC
    (v6([0x2001, 0x2000, 0, 0, 0, 0, 0, 0]), 19), // RIPE NCC, less what is below
    (v6([0x2001, 0x4000, 0, 0, 0, 0, 0, 0]), 21), // RIPE NCC, AFRINIC, APNIC
    (v6([0x2001, 0x4800, 0, 0, 0, 0, 0, 0]), 22), // ARIN, RIPE NCC
    (v6([0x2001, 0x4c00, 0, 0, 0, 0, 0, 0]), 23), // RIPE NCC
    (v6([0x2001, 0x5000, 0, 0, 0, 0, 0, 0]), 20), // RIPE NCC
    (v6([0x2001, 0x8000, 0, 0, 0, 0, 0, 0]), 18), // APNIC
    (v6([0x2003, 0, 0, 0, 0, 0, 0, 0]), 18),      // RIPE NCC
    (v6([0x2400, 0, 0, 0, 0, 0, 0, 0]), 11),      // APNIC
    (v6([0x2600, 0, 0, 0, 0, 0, 0, 0]), 12),      // ARIN
    (v6([0x2610, 0, 0, 0, 0, 0, 0, 0]), 23),      // ARIN
    (v6([0x2620, 0, 0, 0, 0, 0, 0, 0]), 23),      // ARIN
    (v6([0x2630, 0, 0, 0, 0, 0, 0, 0]), 12),      // ARIN
    (v6([0x2800, 0, 0, 0, 0, 0, 0, 0]), 12),      // LACNIC
    (v6([0x2a00, 0, 0, 0, 0, 0, 0, 0]), 11),      // RIPE NCC
    (v6([0x2c00, 0, 0, 0, 0, 0, 0, 0]), 12),      // AFRINIC
];

/// And of these, not those. Some are outside of them by now, and stay refused if IANA gives more.
pub(super) const V6: &[(Ipv6Addr, u8)] = &[
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0]), 23), // IETF protocols, RFC 2928: Teredo, ORCHID, …
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0]), 32), // documentation, RFC 3849
    (v6([0x2001, 0x3c00, 0, 0, 0, 0, 0, 0]), 22), // reserved, unicast assignments
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0]), 16), // 6to4, RFC 3056, whose relays RFC 7526 has ended
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0]), 48), // AS112, RFC 7534
    (v6([0x2d00, 0, 0, 0, 0, 0, 0, 0]), 8),  // reserved, unicast assignments
    (v6([0x2e00, 0, 0, 0, 0, 0, 0, 0]), 7),  // reserved, unicast assignments
    (v6([0x3000, 0, 0, 0, 0, 0, 0, 0]), 4), // reserved, with 6bone, RFC 3701, and documentation, RFC 9637
];

/// Where clouds tell a machine its credentials. Most are link-local or unique local, and so refused
/// anyway, but they have a reason of their own and stay refused when a range around them is allowed.
pub(super) const METADATA_V4: &[Ipv4Addr] = &[
    v4(169, 254, 169, 254), // AWS, Azure, Google Cloud, Oracle, OpenStack, DigitalOcean and others
    v4(169, 254, 170, 2),   // AWS ECS, credentials of a task
    v4(169, 254, 170, 23),  // AWS EKS, credentials of a pod
    v4(169, 254, 0, 23),    // Tencent Cloud
    v4(169, 254, 10, 10),   // Tencent Cloud
    v4(169, 254, 42, 42),   // Scaleway
    v4(100, 100, 100, 200), // Alibaba Cloud
    v4(168, 63, 129, 16),   // Azure's wire server, in what is otherwise public space
    v4(192, 0, 0, 192),     // Oracle Cloud Classic
];

/// The same for IPv6.
pub(super) const METADATA_V6: &[Ipv6Addr] = &[
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]),      // AWS
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23]),       // AWS EKS
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]),       // Google Cloud
    v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe]), // Oracle
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42]),        // Scaleway
    v6([0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe]),    // OpenStack
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const fn v6(segments: [u16; 8]) -> Ipv6Addr {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}
