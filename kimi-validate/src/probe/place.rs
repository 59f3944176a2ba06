//! What is found at one place, before redirects.

use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use kimi_errors::BoxError;
use tower_service::Service;

use super::{FileProbe, FileSize, exchange, head, magic};
use crate::file_url::{Reason, Refused, RemoteUrl};

impl<S> FileProbe<S> {
    /// Asks at one place: with `HEAD`, and with `GET` for what that does not tell, or in any case.
    pub(super) async fn ask<ReqBody, ResBody>(&self, url: &RemoteUrl) -> Result<Found, Refused>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        S::Error: Into<BoxError>,
        ReqBody: Default,
        ResBody: Body,
        ResBody::Error: Into<BoxError>,
    {
        let send =
            |method, range| exchange::send(&self.client, method, url, &self.user_agent, range);
        let answer = send(Method::HEAD, None).await?;
        if head::is_redirect(answer.status()) {
            return exchange::target(url, answer.headers(), &self.policy).map(Found::Redirect);
        }
        let mut known = Known::default();
        // An error says nothing of GET: many servers have no HEAD, and storages sign URLs for one
        // method alone.
        if exchange::is_file(answer.status(), answer.headers()).is_ok() {
            known = Known::of(&answer);
            self.judge(known.bytes, known.media_type.as_deref())?;
        }
        drop(answer);
        match known {
            Known { bytes: Some(bytes), media_type: Some(media_type) } if !self.asks_for_block => {
                return Ok(Found::File { media_type, size: FileSize::Announced(bytes) });
            }
            _ => {}
        }

        let mut answer = send(Method::GET, Some(exchange::first_block())).await?;
        let whole = head::whole_length(answer.status(), answer.headers());
        if answer.status() == StatusCode::PARTIAL_CONTENT && whole.is_none() {
            // A part of nobody knows what: all of it, then.
            answer = send(Method::GET, None).await?;
            exchange::is_no_part(answer.status())?;
        }
        if head::is_redirect(answer.status()) {
            return exchange::target(url, answer.headers(), &self.policy).map(Found::Redirect);
        }
        // Of an empty file there is no first block, RFC 9110 §15.5.17.
        let is_empty = answer.status() == StatusCode::RANGE_NOT_SATISFIABLE && whole == Some(0);
        if !is_empty {
            exchange::is_file(answer.status(), answer.headers())?;
            let found = Known::of(&answer);
            known.bytes = found.bytes.or(known.bytes);
            known.media_type = found.media_type.or(known.media_type);
        }
        self.judge(known.bytes, known.media_type.as_deref())?;
        self.look(answer, known, is_empty).await
    }

    /// Reads what heads have not told.
    async fn look<ResBody>(
        &self,
        answer: Response<ResBody>,
        known: Known,
        is_empty: bool,
    ) -> Result<Found, Refused>
    where
        ResBody: Body,
        ResBody::Error: Into<BoxError>,
    {
        let is_part = answer.status() == StatusCode::PARTIAL_CONTENT;
        let seen = match is_empty {
            true => exchange::Seen { block: Vec::new(), whole: Some(0) },
            false => exchange::read(answer.into_body(), known.bytes, self.max_bytes).await?,
        };
        let size = match (known.bytes, seen.whole) {
            (Some(bytes), whole) if is_part || whole.is_none() => FileSize::Announced(bytes),
            (_, whole) => FileSize::Counted(whole.unwrap_or_default()),
        };
        let media_type = match known.media_type {
            Some(media_type) => media_type,
            None => self.sniffed(&seen.block)?.into(),
        };
        Ok(Found::File { media_type, size })
    }

    /// Returns what the first bytes tell, as far as that is allowed.
    fn sniffed(&self, block: &[u8]) -> Result<&'static str, Refused> {
        let mut types = magic::types_of(block).iter().copied();
        types.find(|it| self.types.allows(it)).ok_or_else(|| Reason::MediaType.into())
    }

    /// Refuses what is known to be too large, or of a wrong type.
    pub(super) fn judge(
        &self,
        bytes: Option<u64>,
        media_type: Option<&str>,
    ) -> Result<(), Refused> {
        if bytes.is_some_and(|bytes| bytes > self.max_bytes) {
            return Err(Reason::TooLarge.into());
        }
        if media_type.is_some_and(|media_type| !self.types.allows(media_type)) {
            return Err(Reason::MediaType.into());
        }
        Ok(())
    }
}

/// What is at one place.
pub(super) enum Found {
    File { media_type: Box<str>, size: FileSize },
    Redirect(RemoteUrl),
}

/// What a head tells of a file.
#[derive(Default)]
struct Known {
    bytes: Option<u64>,
    media_type: Option<Box<str>>,
}

impl Known {
    fn of<B>(answer: &Response<B>) -> Self {
        let (status, headers) = (answer.status(), answer.headers());
        let bytes = match status {
            StatusCode::PARTIAL_CONTENT => head::whole_length(status, headers),
            _ => head::length(headers),
        };
        Self { bytes, media_type: head::media_type(headers) }
    }
}
