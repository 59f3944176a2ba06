//! Each known cause, wrapped in every way that hides it.

use std::fmt;

use super::*;

/// Wraps a cause, as the errors of most crates do.
#[derive(Debug)]
struct Wrapped(BoxError);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrapped")
    }
}

impl StdError for Wrapped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// Names itself as its cause.
#[derive(Debug)]
struct Circle;

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circle")
    }
}

impl StdError for Circle {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self)
    }
}

fn wrapped(error: impl Into<BoxError>) -> BoxError {
    Box::new(Wrapped(error.into()))
}

fn kind(error: impl Into<BoxError>) -> ErrorKind {
    Error::from(error.into()).kind()
}

#[test]
fn an_error_of_ours_comes_out_as_it_went_in() {
    let error = Error::new(ErrorKind::StreamBusy).with_source(io::Error::other("why"));
    let back = Error::from(BoxError::from(error));
    assert_eq!(back.kind(), ErrorKind::StreamBusy);
    assert_eq!(back.source().unwrap().to_string(), "why");
}

#[test]
fn the_outermost_error_of_ours_is_found_behind_any_wrapper() {
    let busy = || Error::new(ErrorKind::StreamBusy);
    let shared: Arc<dyn StdError + Send + Sync> = Arc::new(Wrapped(busy().into()));
    for error in [
        wrapped(busy()),
        wrapped(wrapped(wrapped(busy()))),
        io::Error::other(busy()).into(),
        io::Error::new(io::ErrorKind::TimedOut, wrapped(busy())).into(),
        Box::new(Box::new(busy())),
        Box::new(Arc::new(busy())),
        Box::new(shared),
        wrapped(Error::new(ErrorKind::StreamBusy).with_source(Error::new(ErrorKind::System))),
    ] {
        let text = format!("{error:?}");
        assert_eq!(kind(error), ErrorKind::StreamBusy, "{text}");
    }
}

#[test]
fn a_circle_of_sources_ends() {
    assert!(find::<io::Error>(&Circle).is_none());
    assert_eq!(kind(Circle), ErrorKind::System);
}

#[test]
fn the_original_stays_as_source() {
    let error = Error::from(wrapped("lost"));
    assert_eq!(error.kind(), ErrorKind::System);
    assert_eq!(error.source().unwrap().to_string(), "wrapped");
    assert!(find::<Wrapped>(&error).is_some());
}

#[test]
fn io_errors_tell_connections_from_local_trouble() {
    use io::ErrorKind as Io;

    assert_eq!(kind(io::Error::from(Io::TimedOut)), ErrorKind::Timeout);
    for broken in [Io::ConnectionRefused, Io::ConnectionReset, Io::BrokenPipe, Io::UnexpectedEof] {
        assert_eq!(kind(io::Error::from(broken)), ErrorKind::BadGateway, "{broken}");
        assert_eq!(kind(wrapped(io::Error::from(broken))), ErrorKind::BadGateway, "{broken}");
    }
    for local in [Io::NotFound, Io::PermissionDenied, Io::Other, Io::InvalidData] {
        assert_eq!(kind(io::Error::from(local)), ErrorKind::System, "{local}");
    }
}

#[test]
fn json_errors_tell_the_place_and_nothing_of_the_text() {
    fn parse(text: &str) -> Result<serde_json::Value, Error> {
        #[derive(Debug, serde::Deserialize)]
        struct Request {
            #[expect(dead_code, reason = "only its type matters")]
            n: u32,
        }
        serde_json::from_str::<Request>(text)?;
        Ok(serde_json::from_str(text)?)
    }
    let error = parse("{\n \"n\": \"sesame\"}").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert_eq!(error.message(), "请求参数校验错误 (line 2, column 14)");
    assert!(!format!("{error} {error:?}").contains("sesame"));
    assert!(find::<serde_json::Error>(&error).is_some());

    let value = serde_json::json!({"n": "sesame"});
    let error = Error::from(serde_json::from_value::<u32>(value).unwrap_err());
    assert_eq!(error.message(), "请求参数校验错误");

    let reset = serde_json::Error::io(io::Error::from(io::ErrorKind::ConnectionReset));
    assert_eq!(Error::from(reset).kind(), ErrorKind::BadGateway);
}

#[cfg(feature = "tower")]
#[test]
fn the_errors_of_tower_are_known() {
    assert_eq!(kind(wrapped(tower::timeout::error::Elapsed::new())), ErrorKind::Timeout);
    assert_eq!(kind(tower::load_shed::error::Overloaded::new()), ErrorKind::Unavailable);
}

#[cfg(feature = "axum")]
#[test]
fn what_axum_wraps_is_found() {
    let error = axum_core::Error::new(wrapped(Error::new(ErrorKind::StreamTruncated)));
    assert_eq!(kind(error), ErrorKind::StreamTruncated);
}

mod never_sent;
mod request_body;
#[cfg(feature = "hyper")]
mod transport;
