//! Tokens: the ones handed out, and which of all are still good.

use std::{collections::HashMap, time::Duration};

use http::HeaderMap;
use kimi_errors::ErrorKind;
use tokio::time::Instant;

/// The token that has always expired, as in the article's test.
pub const EXPIRED_TOKEN: &str = "EXPIRED_TOKEN";

/// The tokens that were handed out. A token that was not is taken for an API key, and is good.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    issued: u64,
    expiry: HashMap<String, Instant>,
}

impl Tokens {
    /// Hands out the next token: `mock-token-1`, `mock-token-2`, …
    pub(super) fn issue(&mut self, now: Instant, lifetime: Duration) -> String {
        self.issued += 1;
        let token = format!("mock-token-{}", self.issued);
        // Past what a clock can hold, it never expires.
        if let Some(expiry) = now.checked_add(lifetime) {
            self.expiry.insert(token.clone(), expiry);
        }
        token
    }

    /// Expires every token handed out so far.
    pub(super) fn expire_all(&mut self, now: Instant) {
        self.expiry.values_mut().for_each(|expiry| *expiry = now.min(*expiry));
    }

    pub(super) fn issued(&self) -> u64 {
        self.issued
    }

    pub(super) fn is_live(&self, token: &str, now: Instant) -> bool {
        token != EXPIRED_TOKEN && self.expiry.get(token).is_none_or(|expiry| now < *expiry)
    }

    /// Returns what is wrong with a head's `Authorization`.
    ///
    /// `Bearer T1,T2` is kimi-free-api's way to offer several tokens; one that is live will do.
    pub(super) fn check(&self, headers: &HeaderMap, now: Instant) -> Result<(), ErrorKind> {
        let field = headers.get(http::header::AUTHORIZATION);
        let field = field.and_then(|field| field.to_str().ok()).unwrap_or_default();
        let (scheme, tokens) = field.split_once(' ').unwrap_or_default();
        // RFC 9110 §11.1: the scheme is case-insensitive.
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ErrorKind::InvalidCredentials);
        }
        let mut tokens = tokens.split(',').map(str::trim).filter(|token| !token.is_empty());
        let Some(first) = tokens.next() else {
            return Err(ErrorKind::InvalidCredentials);
        };
        if std::iter::once(first).chain(tokens).any(|token| self.is_live(token, now)) {
            Ok(())
        } else {
            Err(ErrorKind::TokenExpired)
        }
    }
}
