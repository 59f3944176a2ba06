//! What a head says of its body.

use http::{HeaderMap, HeaderValue, header};

use crate::media;

/// What the fields of a head say of its body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Described {
    pub(super) content: Content,
    /// Whether it is compressed, RFC 9110 §8.4.
    pub(super) is_encoded: bool,
    /// Its length in bytes, RFC 9110 §8.6.
    pub(super) length: Option<u64>,
    /// Whether the transport itself marks where it ends, RFC 9112 §6.1.
    pub(super) is_chunked: bool,
}

/// The types that are told apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Content {
    EventStream,
    Grpc,
    Json,
    /// JSON in binary frames, as the streams of Connect have it.
    JsonFrames,
    Page,
    /// Nothing that an error hides in.
    #[default]
    Other,
}

impl Described {
    pub(super) fn by(headers: &HeaderMap) -> Self {
        let mut described = Self::default();
        // One look at each of a few names costs less than hashing a few.
        for (name, value) in headers {
            if *name == header::CONTENT_TYPE {
                described.content = Content::of(value);
            } else if *name == header::CONTENT_LENGTH {
                described.length = value.to_str().ok().and_then(|length| length.parse().ok());
            } else if *name == header::CONTENT_ENCODING {
                described.is_encoded |= !value.as_bytes().eq_ignore_ascii_case(b"identity");
            } else if *name == header::TRANSFER_ENCODING {
                described.is_chunked = true;
            }
        }
        described
    }
}

impl Content {
    fn of(value: &HeaderValue) -> Self {
        const APPLICATION: &[u8] = b"application/";
        let essence = media::essence_of(value);
        if let Some((start, subtype)) = essence.split_at_checked(APPLICATION.len())
            && start.eq_ignore_ascii_case(APPLICATION)
        {
            let is_json =
                subtype.eq_ignore_ascii_case(b"json") || media::ends_with(subtype, b"+json");
            // `application/grpc+json` is gRPC; `application/problem+json` is JSON.
            return match is_json {
                true if subtype.eq_ignore_ascii_case(b"connect+json") => Self::JsonFrames,
                _ if subtype.starts_with(b"grpc") && media::is_grpc(value) => Self::Grpc,
                true => Self::Json,
                false => Self::Other,
            };
        }
        if essence.eq_ignore_ascii_case(b"text/event-stream") {
            Self::EventStream
        } else if essence.eq_ignore_ascii_case(b"text/html") {
            Self::Page
        } else {
            Self::Other
        }
    }
}
