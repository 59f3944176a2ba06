//! What a head says of its body.

#[cfg(any(feature = "raise-error", feature = "retry", feature = "token"))]
use http::StatusCode;
use http::{HeaderMap, HeaderValue, header};

use crate::media;

/// What the fields of a head say of its body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Described {
    pub(crate) content: Content,
    /// Whether it is compressed, RFC 9110 §8.4.
    pub(crate) is_encoded: bool,
    /// Its length in bytes, RFC 9110 §8.6.
    pub(crate) length: Option<u64>,
    /// Whether the transport itself marks where it ends, RFC 9112 §6.1.
    #[cfg(feature = "raise-error")]
    pub(crate) is_chunked: bool,
}

/// The types that are told apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Content {
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
    pub(crate) fn by(headers: &HeaderMap) -> Self {
        let mut described = Self::default();
        // One look at each of a few names costs less than hashing a few.
        for (name, value) in headers {
            if *name == header::CONTENT_TYPE {
                described.content = Content::of(value);
            } else if *name == header::CONTENT_LENGTH {
                described.length = value.to_str().ok().and_then(|length| length.parse().ok());
            } else if *name == header::CONTENT_ENCODING {
                described.is_encoded |= media::names_coding(value);
            }
            #[cfg(feature = "raise-error")]
            if *name == header::TRANSFER_ENCODING {
                described.is_chunked = true;
            }
        }
        described
    }
}

/// Where an error may stand in an answer that has the status of a success.
#[cfg(any(feature = "raise-error", feature = "retry", feature = "token"))]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Disguise {
    /// Nowhere, or where it cannot be read.
    None,
    /// In the body's beginning.
    Body,
    /// In the first of its events.
    Events,
}

#[cfg(any(feature = "raise-error", feature = "retry", feature = "token"))]
impl Described {
    /// Returns where an error may stand in a success with this status.
    pub(crate) fn disguise(self, status: StatusCode) -> Disguise {
        // There is nothing to read in a reset of a form, and a part of a body cannot be.
        let is_part = matches!(status, StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT);
        if self.is_encoded || is_part {
            return Disguise::None;
        }
        match self.content {
            Content::Json | Content::JsonFrames | Content::Page => Disguise::Body,
            Content::EventStream => Disguise::Events,
            Content::Grpc | Content::Other => Disguise::None,
        }
    }
}

impl Content {
    fn of(value: &HeaderValue) -> Self {
        // As nearly every server writes the two.
        match value.as_bytes() {
            b"application/json" => return Self::Json,
            b"text/event-stream" => return Self::EventStream,
            _ => {}
        }
        let essence = media::essence_of(value.as_bytes());
        if let Some(subtype) = media::application(essence) {
            // `application/grpc+json` is gRPC; `application/problem+json` is JSON.
            return match media::is_json(subtype) {
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
