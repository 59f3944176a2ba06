//! Whether an event is an error, and which.

use kimi_errors::{Error, ErrorKind, Received};

use super::event::Event;

impl Event<'_> {
    /// Returns the error that it is.
    #[inline]
    pub(crate) fn error(&self) -> Option<Error> {
        if self.name == b"error" {
            return Some(error_by_name(&self.data));
        }
        kimi_errors::decode_event(&self.data)
    }
}

/// Returns the error that the data of an `event: error` is, whatever it says.
#[cold]
fn error_by_name(data: &[u8]) -> Error {
    let mut lines = b"event: error\n".to_vec();
    for line in data.split(|byte| *byte == b'\n') {
        lines.extend_from_slice(b"data: ");
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
    // The type is known to what reads a stream from its head only.
    let error = kimi_errors::decode_body(Some(200), &lines);
    let error = error.unwrap_or_else(|| Error::new(ErrorKind::RequestFailed));
    match error.received().cloned() {
        // It came in an event, which has no status.
        Some(received) => {
            let mut in_event = Received::default();
            in_event.code = received.code;
            in_event.error_type = received.error_type;
            error.with_received(in_event)
        }
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_by_name_has_what_its_data_says_and_no_status() {
        let error = error_by_name(br#"{"error":{"message":"x","type":"server_error"}}"#);
        let received = error.received().unwrap();
        assert_eq!((received.status, received.error_type.as_deref()), (None, Some("server_error")));
    }
}
