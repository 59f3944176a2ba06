//! The record in the making, which is written once whatever happens.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use kimi_errors::Error;
use tokio::time::Instant;

#[cfg(feature = "session")]
use super::judge::of_session;
use super::{
    Observer, Outcome, Record, RequestId, Side,
    judge::{of_body, of_event},
    known::{self, Answer, End, Head},
    request_id::{REQUEST_ID, is_sane},
    settings::Settings,
    tap::{Tap, Told},
    tell::tell,
};
use crate::{clock, facts::Facts};

/// One request, from its call to the end of its answer's body. Dropping it writes the record; no
/// other way does, so that there is exactly one.
#[derive(Debug)]
pub(super) struct Entry<O: Observer> {
    settings: Arc<Settings<O>>,
    facts: Facts,
    request: Head,
    id: RequestId,
    started: Instant,
    /// Known when the answer's head is there.
    answer: Option<Answer>,
    end: End,
    /// Whether foreign code is at work. If it is when the entry is dropped, that code has panicked.
    is_entered: bool,
}

impl<O: Observer> Entry<O> {
    /// Opens the entry of a request, and puts its facts into it.
    pub(super) fn open<B>(settings: &Arc<Settings<O>>, request: &mut Request<B>) -> Box<Self> {
        let (given, trace) = known::said(request.headers());
        let at = clock::now();
        let facts = request.extensions().get::<Facts>().cloned();
        let known = facts.as_ref().and_then(|facts| facts.request_id().cloned());
        // Within another log, the request keeps the id that it has there.
        let id = known.or(given).unwrap_or_else(|| RequestId::made(at));
        let facts = facts.unwrap_or_else(|| {
            let facts = Facts::new();
            request.extensions_mut().insert(facts.clone());
            facts
        });
        facts.tell_request(id.clone(), settings.preview_chars);
        let entry = Box::new(Self {
            settings: Arc::clone(settings),
            facts,
            request: Head::of(request, settings, at, trace),
            id,
            started: Instant::now(),
            answer: None,
            end: End::Open,
            is_entered: false,
        });
        // Before anything inside can fail.
        tell(|| settings.observer.on_start(&entry.request.start(settings.side, entry.id.as_str())));
        entry
    }

    /// Takes notice that foreign code begins its work.
    #[inline]
    pub(super) const fn enter(&mut self) {
        self.is_entered = true;
    }

    /// Takes notice that it has come back.
    #[inline]
    pub(super) const fn leave(&mut self) {
        self.is_entered = false;
    }

    /// Takes notice of the answer's head, which gets the id. Returns whether there is anything left
    /// to watch: neither the answer to HEAD nor some others have a body, whatever their fields say.
    pub(super) fn see_head<B: Body>(&mut self, response: &mut Response<B>) -> bool {
        self.enter();
        let is_over = response.body().is_end_stream();
        self.leave();
        let status = response.status();
        let is_without = self.request.method == Method::HEAD
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let error = (status.as_u16() >= 400).then(|| response.extensions().get::<Error>());
        let error = error.flatten().cloned();
        let headers = response.headers();
        let upstream_id = headers.get(REQUEST_ID).filter(|value| is_sane(value)).cloned();
        let tap = match is_without {
            true => Tap::of_nothing(),
            false => Tap::of(status.as_u16(), headers),
        };
        if self.settings.side == Side::Server {
            if let Some(value) = self.id.to_value() {
                response.headers_mut().insert(REQUEST_ID, value);
            }
            // Whoever writes the error anew writes this one.
            if let Some(error) = &error {
                response.extensions_mut().insert(self.identified(error.clone()));
            }
        }
        self.answer = Some(Answer {
            status,
            upstream_id,
            error,
            tap,
            time_to_head: self.started.elapsed(),
            time_to_first_content: None,
            last_chunk: None,
            longest_gap: None,
        });
        if is_over || is_without {
            self.end = End::Complete;
        }
        !(is_over || is_without)
    }

    /// Takes notice of a frame of the body, before it goes on.
    #[inline]
    pub(super) fn see_frame(&mut self, frame: &Frame<Bytes>, is_last: bool) {
        let Some(answer) = &mut self.answer else { return };
        if let Some(data) = frame.data_ref() {
            if data.is_empty() {
                return;
            }
            let is_first = answer.tap.read(data, is_last);
            if is_first || self.settings.longest_gap {
                answer.read_clock(self.started, is_first, self.settings.longest_gap);
            }
        } else if let Some(trailers) = frame.trailers_ref() {
            answer.tap.read_trailers(trailers);
        }
    }

    /// Takes notice that the body is over.
    pub(super) fn complete(&mut self) {
        self.end = End::Complete;
    }

    /// Takes notice that the service or the body has failed. Returns the error with the id, by which
    /// its reader can ask for the record.
    #[cold]
    pub(super) fn fail(&mut self, error: Error) -> Error {
        self.end = End::Failed(error.clone());
        self.identified(error)
    }

    fn identified(&self, error: Error) -> Error {
        // On the client's side it may have the upstream's, by which the upstream can be asked.
        if self.settings.side == Side::Client && error.request_id().is_some() {
            return error;
        }
        error.with_request_id(self.id.as_str())
    }

    /// Returns how the request ended, and the error that it ended with.
    fn outcome(&mut self, told: &mut Told) -> (Outcome, Option<Error>) {
        let in_body = told.error.take();
        if self.is_entered {
            return (Outcome::Panic, None);
        }
        let is_gone = matches!(self.end, End::Open);
        let failed = match std::mem::replace(&mut self.end, End::Complete) {
            End::Failed(error) => Some(error),
            End::Open | End::Complete => None,
        };
        #[cfg(feature = "session")]
        if failed.is_some()
            && let Some(outcome) = of_session(&self.facts)
        {
            return (outcome, failed);
        }
        let Some(answer) = &mut self.answer else {
            return match failed {
                Some(error) => (Outcome::of_status(error.status()), Some(error)),
                None => (Outcome::ClientGone, None),
            };
        };
        if let Some(error) = failed {
            return (of_body(&error), Some(error));
        }
        let status = answer.status.as_u16();
        // What the head said stands, whether or not somebody has read the rest.
        if status >= 400 {
            return (Outcome::of_status(status), answer.error.take().or(in_body));
        }
        match in_body {
            Some(error) if answer.tap.is_stream() => (of_event(&error), Some(error)),
            Some(error) => (Outcome::of_status(error.status()), Some(error)),
            None if is_gone && !answer.tap.is_all_there() => (Outcome::ClientGone, None),
            None if self.settings.must_end && told.is_complete == Some(false) => {
                (Outcome::Truncated, None)
            }
            None => (Outcome::Success, None),
        }
    }

    fn write(&mut self) {
        let duration = self.started.elapsed();
        let is_over = !matches!(self.end, End::Open);
        let mut told = match &mut self.answer {
            Some(answer) => answer.tap.told(is_over),
            None => Told::default(),
        };
        let (outcome, error) = self.outcome(&mut told);
        let answer = self.answer.as_ref();
        let id = self.id.as_str();
        let upstream_id = answer.and_then(|answer| answer.upstream_id.as_ref()?.to_str().ok());
        let upstream_id = upstream_id.or_else(|| error.as_ref().and_then(Error::request_id));
        let status = answer
            .map(|answer| answer.status)
            .or_else(|| error.as_ref().and_then(|error| StatusCode::from_u16(error.status()).ok()));
        let record = Record {
            start: self.request.start(self.settings.side, id),
            outcome,
            status,
            error: error.as_ref(),
            upstream_request_id: upstream_id.filter(|theirs| *theirs != id),
            duration,
            time_to_head: answer.map(|answer| answer.time_to_head),
            time_to_first_content: answer.and_then(|answer| answer.time_to_first_content),
            longest_gap: answer.and_then(|answer| answer.longest_gap),
            bytes: answer.map_or(0, |answer| answer.tap.bytes()),
            chunks: answer.map_or(0, |answer| answer.tap.chunks()),
            is_stream: answer.is_some_and(|answer| answer.tap.is_stream()),
            finish_reason: told.finish_reason,
            input_tokens: told.usage.and_then(|usage| usage.prompt),
            output_tokens: told.usage.and_then(|usage| usage.completion),
            facts: &self.facts,
            shows_previews: self.settings.preview_chars > 0,
        };
        self.settings.observer.on_end(&record);
    }
}

impl<O: Observer> Drop for Entry<O> {
    fn drop(&mut self) {
        tell(|| self.write());
    }
}
