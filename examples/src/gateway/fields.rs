//! Which head fields pass a gateway, and which end there.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The fields that belong to one connection, RFC 9110 §7.6.1.
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What an upstream says of its limits: as the IETF's draft, OpenAI and the platform name it.
const LIMITS: [HeaderName; 11] = [
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Makes the fields of a client's request those of ours to the upstream.
pub(super) fn request(fields: &mut HeaderMap) {
    remove_hop_by_hop(fields);
    // These three are written anew: by the connection, from the body, and by nobody, since the
    // body has already been read.
    fields.remove(header::HOST);
    fields.remove(header::CONTENT_LENGTH);
    fields.remove(header::EXPECT);
    // An error that is compressed is one that we cannot read. Leaving the field out would allow
    // any coding, RFC 9110 §12.5.3.
    fields.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // RFC 9110 §7.6.3 asks it of every gateway.
    fields.append(header::VIA, HeaderValue::from_static("1.1 kimi-gateway"));
}

/// Makes the fields of the upstream's answer those of ours to the client.
pub(super) fn response(fields: &mut HeaderMap) {
    remove_hop_by_hop(fields);
    // They are of the account upstream, and the client's are ours to tell.
    for name in &LIMITS {
        fields.remove(name);
    }
    if is_event_stream(fields) {
        // A stream that breaks gets one more event, so no length holds for it.
        fields.remove(header::CONTENT_LENGTH);
    }
}

/// Returns whether a body is a stream of server-sent events.
pub(super) fn is_event_stream(fields: &HeaderMap) -> bool {
    essence(fields).eq_ignore_ascii_case("text/event-stream")
}

/// Returns the content type without its parameters; empty if there is none.
fn essence(fields: &HeaderMap) -> &str {
    let value = fields.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.split(';').next()).unwrap_or_default().trim()
}

fn remove_hop_by_hop(fields: &mut HeaderMap) {
    let connection = fields.get_all(header::CONNECTION).into_iter();
    let listed =
        connection.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let named: Vec<HeaderName> = listed.filter_map(|name| name.trim().parse().ok()).collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        fields.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in pairs {
            fields.append(*name, HeaderValue::from_static(value));
        }
        fields
    }

    #[test]
    fn what_belongs_to_one_connection_ends_here() {
        let mut passed = fields(&[
            ("connection", "keep-alive, X-Private"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("x-private", "1"),
            ("x-mock-fault", "errcode.token"),
        ]);
        response(&mut passed);
        assert_eq!(passed, fields(&[("x-mock-fault", "errcode.token")]));
    }

    #[test]
    fn a_request_keeps_its_credential_and_loses_its_framing() {
        let mut passed = fields(&[
            ("authorization", "Bearer k"),
            ("host", "gateway"),
            ("content-length", "7"),
            ("expect", "100-continue"),
            ("accept-encoding", "br"),
        ]);
        request(&mut passed);
        let expected = [
            ("authorization", "Bearer k"),
            ("accept-encoding", "identity"),
            ("via", "1.1 kimi-gateway"),
        ];
        assert_eq!(passed, fields(&expected));
    }

    #[test]
    fn what_the_upstream_says_of_its_limits_ends_here() {
        let mut passed = fields(&[
            ("ratelimit", "\"requests\";r=1;t=1"),
            ("x-ratelimit-remaining-tokens", "7"),
            ("x-request-id", "r"),
        ]);
        response(&mut passed);
        assert_eq!(passed, fields(&[("x-request-id", "r")]));
    }

    #[test]
    fn only_a_stream_loses_its_length() {
        let mut stream = fields(&[
            ("content-type", "text/event-stream; charset=utf-8"),
            ("content-length", "9"),
        ]);
        response(&mut stream);
        assert!(!stream.contains_key(header::CONTENT_LENGTH));
        let mut unary = fields(&[("content-type", "application/json"), ("content-length", "9")]);
        response(&mut unary);
        assert!(unary.contains_key(header::CONTENT_LENGTH));
    }
}
