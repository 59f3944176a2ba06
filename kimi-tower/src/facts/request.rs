//! What `request_log` tells.

use super::Facts;
use crate::request_log::RequestId;

pub(super) struct Request {
    id: RequestId,
    /// How many characters of each message it wants to know.
    #[cfg_attr(not(feature = "validate"), expect(dead_code, reason = "validate reads messages"))]
    preview_chars: usize,
}

impl Facts {
    /// Returns the id of the request; `None` if no `request_log` stands outside.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.request.get().map(|told| &told.id)
    }

    /// Returns how many characters of each message are asked for; 0 is none.
    #[cfg(feature = "validate")]
    pub(super) fn preview_chars(&self) -> usize {
        self.0.request.get().map_or(0, |told| told.preview_chars)
    }

    pub(crate) fn tell_request(&self, id: RequestId, preview_chars: usize) {
        self.0.request.get_or_init(|| Request { id, preview_chars });
    }
}
