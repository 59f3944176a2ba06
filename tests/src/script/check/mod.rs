//! What a step may not say, and what it may not say together.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue};
use kimi_errors::ErrorKind;

use super::{Fault, Garbage, Raw, Repeat, SseError, Step};

/// The wrong field, and why.
type Wrong = (&'static str, String);

impl Step {
    /// Returns the first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        self.check_values()?;
        self.check_pairs()
    }

    fn check_values(&self) -> Result<(), Wrong> {
        if self.repeat == Repeat::Times(0) {
            return Err(("repeat", "at least 1, or \"forever\"".to_owned()));
        }
        if self.ok.as_ref().is_some_and(|ok| ok.chunks == Some(0)) {
            return Err(("ok.chunks", "at least 1".to_owned()));
        }
        if let Some(id) = &self.fault {
            check_fault("fault", id)?;
        }
        if let Some(name) = &self.kind {
            check_kind("kind", name)?;
        }
        if let Some(raw) = &self.raw {
            check_raw(raw)?;
        }
        check_headers("headers", &self.headers)?;
        if self.split == Some(0) {
            return Err(("split", "at least 1 byte".to_owned()));
        }
        if self.garbage.is_some_and(|garbage| garbage.bytes > Garbage::MAX_BYTES) {
            return Err(("garbage.bytes", format!("at most {}", Garbage::MAX_BYTES)));
        }
        self.sse_error.as_ref().map_or(Ok(()), check_sse_error)
    }

    fn check_pairs(&self) -> Result<(), Wrong> {
        let present = [
            ("ok", self.ok.is_some()),
            ("fault", self.fault.is_some()),
            ("kind", self.kind.is_some()),
            ("raw", self.raw.is_some()),
            ("cut_at", self.cut_at.is_some()),
            ("reset_at", self.reset_at.is_some()),
            ("garbage", self.garbage.is_some()),
            ("content_length", self.content_length.is_some()),
            ("endless", self.endless),
            ("sse_error", self.sse_error.is_some()),
            ("no_done", self.no_done),
            ("when.stream = false", self.when.stream() == Some(false)),
        ];
        let is_present = |name| present.contains(&(name, true));
        for (first, second) in EXCLUSIVE {
            if is_present(first) && is_present(second) {
                return Err((second, format!("excludes `{first}`")));
            }
        }
        Ok(())
    }
}

/// Pairs of which a step has at most one. The module page of `script` gives the reasons.
const EXCLUSIVE: &[(&str, &str)] = &[
    ("ok", "fault"),
    ("ok", "kind"),
    ("ok", "raw"),
    ("fault", "kind"),
    ("fault", "raw"),
    ("kind", "raw"),
    ("cut_at", "reset_at"),
    ("cut_at", "content_length"),
    ("reset_at", "content_length"),
    ("content_length", "endless"),
    ("fault", "sse_error"),
    ("kind", "sse_error"),
    ("raw", "sse_error"),
    ("garbage", "sse_error"),
    ("endless", "sse_error"),
    ("when.stream = false", "sse_error"),
    ("fault", "no_done"),
    ("kind", "no_done"),
    ("raw", "no_done"),
    ("garbage", "no_done"),
    ("endless", "no_done"),
    ("when.stream = false", "no_done"),
];

fn check_fault(field: &'static str, id: &str) -> Result<(), Wrong> {
    match Fault::find(id) {
        Some(_) => Ok(()),
        None => Err((field, format!("no fault has the id `{id}`; `mock_kimi --faults` lists all"))),
    }
}

fn check_kind(field: &'static str, name: &str) -> Result<(), Wrong> {
    match ErrorKind::from_name(name) {
        Some(_) => Ok(()),
        None => Err((field, format!("no kind has the name `{name}`"))),
    }
}

fn check_sse_error(error: &SseError) -> Result<(), Wrong> {
    match (&error.fault, &error.kind, &error.raw) {
        (Some(id), None, None) => check_fault("sse_error.fault", id),
        (None, Some(name), None) => check_kind("sse_error.kind", name),
        (None, None, Some(_)) => Ok(()),
        (Some(_), Some(_), _) => Err(("sse_error.kind", "excludes `fault`".to_owned())),
        (Some(_), None, Some(_)) => Err(("sse_error.raw", "excludes `fault`".to_owned())),
        (None, Some(_), Some(_)) => Err(("sse_error.raw", "excludes `kind`".to_owned())),
        (None, None, None) => Err(("sse_error", "needs `fault`, `kind` or `raw`".to_owned())),
    }
}

fn check_raw(raw: &Raw) -> Result<(), Wrong> {
    if !(200..=999).contains(&raw.status) {
        return Err(("raw.status", format!("{} is not within 200 to 999", raw.status)));
    }
    check_headers("raw.headers", &raw.headers)?;
    match (&raw.body, &raw.body_base64) {
        (Some(_), Some(_)) => return Err(("raw.body_base64", "excludes `body`".to_owned())),
        (None, Some(text)) if BASE64_STANDARD.decode(text).is_err() => {
            return Err(("raw.body_base64", "not base64 with padding".to_owned()));
        }
        _ => {}
    }
    if matches!(raw.status, 204 | 304) && !raw.bytes().is_empty() {
        return Err(("raw.body", format!("status {} has no body", raw.status)));
    }
    Ok(())
}

fn check_headers(field: &'static str, headers: &BTreeMap<String, String>) -> Result<(), Wrong> {
    for (name, value) in headers {
        if HeaderName::try_from(name).is_err() {
            return Err((field, format!("`{name}` is no field name")));
        }
        if HeaderValue::try_from(value).is_err() {
            return Err((field, format!("the value of `{name}` is no field value")));
        }
        if ["content-length", "transfer-encoding"].iter().any(|own| name.eq_ignore_ascii_case(own))
        {
            return Err((field, format!("`{name}` follows from the body or `content_length`")));
        }
    }
    Ok(())
}

impl Raw {
    /// Returns the body; empty where it is not base64, which no checked step has.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(text)) => BASE64_STANDARD.decode(text).unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
