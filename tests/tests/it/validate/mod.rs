//! Chat requests, judged by each profile: every rule at its boundary, with the exact place.

mod article;
mod builder;
mod free_api;
mod large;
mod malformed;
mod order;
mod platform;
mod preview;

use kimi_validate::{ChatRequest, Profile, Violations};

/// Judges a body and returns what was found, one after the other: pointer, rule, type of the value
/// and offset. `.` is the whole body, `-` no value; the last is how many are not listed, if any.
fn judge(body: &[u8], profile: &Profile) -> Vec<String> {
    match ChatRequest::parse(body, profile) {
        Ok(request) => {
            assert_eq!(request.as_bytes(), body, "the body passes on unchanged");
            Vec::new()
        }
        Err(violations) => rows(&violations),
    }
}

fn rows(violations: &Violations) -> Vec<String> {
    let mut rows: Vec<_> = violations
        .iter()
        .map(|it| {
            let pointer = if it.pointer().is_empty() { "." } else { it.pointer() };
            let found = it.found().map_or("-", |found| found.name());
            format!("{pointer} {} {found} {}", it.rule(), it.offset())
        })
        .collect();
    if violations.truncated() > 0 {
        rows.push(format!("+{}", violations.truncated()));
    }
    rows
}

/// Asserts what is found in a body. `expected` has pointer, rule and type of each, with a semicolon
/// between; where each stands is marked in the body with `^`, once for each.
#[track_caller]
fn expect(marked: &[u8], expected: &str, profile: &Profile) {
    let mut body = Vec::new();
    let mut offsets = Vec::new();
    for byte in marked {
        match byte {
            b'^' => offsets.push(body.len()),
            other => body.push(*other),
        }
    }
    let expected: Vec<_> = expected.split(';').map(str::trim).filter(|it| !it.is_empty()).collect();
    let shown = String::from_utf8_lossy(marked);
    let listed = expected.iter().filter(|row| !row.starts_with('+')).count();
    assert_eq!(offsets.len(), listed, "marks and violations of {shown}");
    let mut offsets = offsets.into_iter();
    let with_offset = |row: &&str| match offsets.next() {
        Some(offset) => format!("{row} {offset}"),
        None => (*row).to_owned(),
    };
    let expected: Vec<_> = expected.iter().map(with_offset).collect();
    assert_eq!(judge(&body, profile), expected, "{shown}");
}

/// Asserts that a body is found well formed.
#[track_caller]
fn accept(body: &str, profile: &Profile) {
    let found = judge(body.as_bytes(), profile);
    assert!(found.is_empty(), "{found:?} in {body}");
}

/// A request that every profile takes, with these members besides.
fn request_with(members: &str) -> String {
    format!(r#"{{"model":"kimi","messages":[{{"role":"user","content":"x"}}],{members}}}"#)
}

/// A request of which this is the only message.
fn request_of(message: &str) -> String {
    format!(r#"{{"model":"kimi","messages":[{message}]}}"#)
}
