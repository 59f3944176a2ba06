//! `facts/bodies.json`: what services, gateways, proxies and frameworks really write, byte for
//! byte, and exactly what becomes of each.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kimi_errors::{Error, RetryAdvice, decode, decode_event};
use serde::Deserialize;
use serde_json::Value;

const BODIES: &str = include_str!("../../../facts/bodies.json");
const FACTS: &str = include_str!("../../../facts/errors.json");

#[derive(Debug, Deserialize)]
struct Real {
    /// Who writes it; shown if it is read wrongly.
    source: String,
    /// None for the data of an event.
    status: Option<u16>,
    #[serde(default)]
    head: BTreeMap<String, String>,
    body: String,
    kind: String,
    advice: String,
    /// The least wait of a backoff, if one is named.
    after_ms: Option<u64>,
}

impl Real {
    fn decode(&self) -> Option<Error> {
        let Some(status) = self.status else { return decode_event(self.body.as_bytes()) };
        let field = |(name, value): (&String, &String)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        };
        let headers: HeaderMap = self.head.iter().map(field).collect();
        decode(StatusCode::from_u16(status).unwrap(), &headers, self.body.as_bytes())
    }

    /// Says what is wrong with the error that becomes of it, if anything is.
    fn fault(&self) -> Option<String> {
        let Some(error) = self.decode() else {
            return Some(format!("{}: {self:?}\n    is taken for a success", self.source));
        };
        let after = match error.advice() {
            RetryAdvice::Backoff { after } => after,
            _ => None,
        };
        let is = (error.kind().name(), error.advice().name(), after);
        let expected = (&*self.kind, &*self.advice, self.after_ms.map(Duration::from_millis));
        (is != expected).then(|| format!("{}: {self:?}\n    is {is:?}", self.source))
    }
}

#[test]
fn every_real_body_is_exactly_what_it_means() {
    let bodies: Vec<Real> = serde_json::from_str(BODIES).unwrap();
    let faults: Vec<_> = bodies.iter().filter_map(Real::fault).collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), bodies.len(), faults.join("\n"));
}

/// A body and a text that stands in it are one: wrapping a text makes no second body of it.
#[test]
fn more_than_two_hundred_real_bodies_and_texts_are_told_apart() {
    let bodies: Vec<Real> = serde_json::from_str(BODIES).unwrap();
    let distinct: HashSet<&str> = bodies.iter().map(|real| &*real.body).collect();
    assert!(distinct.len() >= 120, "only {} distinct bodies", distinct.len());

    let facts: Vec<Value> = serde_json::from_str(FACTS).unwrap();
    let texts = facts.iter().filter_map(|fact| fact["example_message"].as_str());
    let new: HashSet<&str> =
        texts.filter(|text| !distinct.iter().any(|body| body.contains(text))).collect();
    let sum = distinct.len() + new.len();
    assert!(sum > 200, "{} distinct bodies and {} further texts", distinct.len(), new.len());
}
