//! One request that is sent with a token, and what is decided when it has failed.

use std::{pin::Pin, sync::Arc, task::Context};

use kimi_errors::Error;

use super::{
    Leased, TokenSource,
    pause::{Answer, Next, Pause, Second, Spare, Token},
    shared::Shared,
};

/// What is known of a request that is sent with a token.
pub(super) struct Sent<S, T: TokenSource, B> {
    pub(super) shared: Arc<Shared<T>>,
    /// `None` until there is a token.
    pub(super) lease: Option<T::Lease>,
    /// A refresh that is due: polled with the request, which does not wait for it.
    pub(super) ahead: Option<T::Wait>,
    /// `None` of the second attempt.
    pub(super) spare: Option<Spare<S, B>>,
    pub(super) is_head: bool,
}

/// What follows an attempt that was answered with an error.
pub(super) enum Step<S, T: TokenSource, B, R> {
    Pause(Box<Pause<S, T, B, R>>),
    Stop(Answer<R>),
}

impl<S, T: TokenSource, B> Sent<S, T, B> {
    /// Goes on with a refresh that is due.
    #[inline]
    pub(super) fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        if let Some(ahead) = &mut self.ahead
            && Pin::new(ahead).poll(cx).is_ready()
        {
            self.ahead = None;
        }
    }

    /// Decides what follows an attempt that was answered with an error.
    #[cold]
    pub(super) fn after<R>(
        &mut self,
        answer: Answer<R>,
        error: &Error,
        cx: &mut Context<'_>,
    ) -> Step<S, T, B, R> {
        let Some(lease) = self.lease.take() else { return Step::Stop(answer) };
        let is_refused = self.shared.source.heed(&lease, error);
        let Some(Spare { service, head, replay }) = self.spare.take().filter(|_| is_refused) else {
            return Step::Stop(answer);
        };
        let refused = lease.as_ref().clone();
        let token = match self.shared.source.lease(&head) {
            Leased::Refused(_) | Leased::Untouched => return Step::Stop(answer),
            // There is no other.
            Leased::Ready(next, _) if *next.as_ref() == refused => return Step::Stop(answer),
            Leased::Ready(next, ahead) => Token::There(next, ahead),
            Leased::Waiting(wait) => Token::Waits(wait),
        };
        if !replay.is_possible() {
            // Nobody waits for it here: it is begun, for whoever comes next.
            if let Token::Waits(wait) = token {
                self.ahead = Some(wait);
                self.poll_ahead(cx);
            }
            return Step::Stop(answer);
        }
        tracing::debug!(kind = error.kind().name(), "to be sent again with another token");
        let next = Next::Second(Box::new(Second { replay, answer, refused }));
        Step::Pause(Box::new(Pause { token, service, head, next }))
    }
}
