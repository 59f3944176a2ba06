//! `tonic::Status`, both ways.

use std::sync::Arc;

use tonic::{Code, Status, metadata::MetadataMap};

use crate::{Error, ErrorKind, GrpcCode, chain, grpc};

/// Gives the status with code, message, [details](grpc), pushback and request id.
///
/// The error is the status' source: within this process, the way back returns it as it is.
///
/// ```
/// use kimi_errors::{Error, ErrorKind};
/// use tonic::{Code, Status};
///
/// let status = Status::from(Error::new(ErrorKind::TokenExpired));
/// assert_eq!(status.code(), Code::Unauthenticated);
/// assert_eq!(Error::from(status).kind(), ErrorKind::TokenExpired);
/// ```
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let code = Code::from_i32(i32::from(error.kind().grpc_code().number()));
        let metadata = MetadataMap::from_headers(grpc::metadata(&error));
        let message = grpc::brief(error.message());
        let details = grpc::details(&error).into();
        let mut status = Self::with_details_and_metadata(code, message, details, metadata);
        status.set_source(Arc::new(error));
        status
    }
}

/// Gives the [`Error`] among the status' sources, else the one that its details and metadata, or
/// at least its code, stand for, as [`grpc::from_trailers`] does.
///
/// The message of an `UNKNOWN` status with a source is dropped: it is how tonic wraps any error of
/// a handler, with that error's text.
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        match chain::find::<Self>(&status) {
            Some(found) => found.clone(),
            None => read(&status).with_source(status),
        }
    }
}

/// Returns the error of a status that has none of ours as source.
pub(crate) fn read(status: &Status) -> Error {
    let has_source = std::error::Error::source(status).is_some();
    if has_source && status.code() == Code::Unknown {
        return Error::new(ErrorKind::System);
    }
    let number = u8::try_from(i32::from(status.code())).ok();
    let code = number.and_then(GrpcCode::from_number).unwrap_or(GrpcCode::Unknown);
    grpc::read(code, status.message(), status.details(), status.metadata().as_ref())
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use super::*;
    use crate::{BoxError, RetryAdvice};

    fn over_the_wire(status: &Status) -> Status {
        let mut headers = http::HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        Status::from_header_map(&headers).unwrap()
    }

    #[test]
    fn a_status_that_crossed_the_wire_gives_the_same_error() {
        let error = Error::new(ErrorKind::ConcurrencyLimited)
            .with_message("并发超限")
            .with_errcode(-2007)
            .with_retry_after(Duration::from_millis(1500))
            .with_request_id("req-1");
        let status = over_the_wire(&Status::from(error.clone()));
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(status.message(), "并发超限");
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "1500");

        let read = Error::from(status);
        assert_eq!(read.kind(), error.kind());
        assert_eq!(read.errcode(), -2007);
        assert_eq!(read.message(), error.message());
        assert_eq!(read.advice(), error.advice());
        assert_eq!(read.request_id(), Some("req-1"));
    }

    #[test]
    fn a_status_of_tonic_writes_what_ours_reads() {
        let error = Error::new(ErrorKind::UsageLimited).with_request_id("req-2");
        let mut headers = http::HeaderMap::new();
        Status::from(error.clone()).add_header(&mut headers).unwrap();
        let ours = grpc::trailers(&error);
        for name in ["grpc-status", "grpc-status-details-bin", "grpc-retry-pushback-ms"] {
            assert_eq!(headers.get(name), ours.get(name), "{name}");
        }
        assert_eq!(grpc::from_trailers(&headers).unwrap().advice(), RetryAdvice::AFTER_RESET);
    }

    #[test]
    fn within_the_process_the_error_itself_comes_back() {
        let error = Error::new(ErrorKind::System).with_source(io::Error::other("private"));
        let back = Error::from(Status::from(error));
        assert_eq!(std::error::Error::source(&back).unwrap().to_string(), "private");
    }

    #[test]
    fn a_foreign_status_keeps_its_words_and_stays_as_source() {
        let error = Error::from(Status::unavailable("down for maintenance"));
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.message(), "down for maintenance");
        assert!(chain::find::<Status>(&error).is_some());

        let boxed: BoxError = Status::unavailable("down for maintenance").into();
        assert_eq!(Error::from(boxed).message(), "down for maintenance");
    }

    #[test]
    fn the_text_of_an_error_that_tonic_wrapped_does_not_show() {
        let status = Status::from_error(io::Error::other("secret at 10.0.0.7").into());
        let error = Error::from(status);
        assert_eq!(error.kind(), ErrorKind::System);
        assert!(!format!("{error} {error:?}").contains("10.0.0.7"));
    }
}
