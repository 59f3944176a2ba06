//! What all clones of a mock share.

use std::{collections::VecDeque, sync::Arc};

use super::{presence::Present, recorded::Recorded, tokens::Tokens};
use crate::{
    script::{Asked, Repeat, Script, Step},
    sync::Lock,
};

/// The shared state. Its locks are taken one at a time and never held across an await.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) present: Arc<Present>,
    pub(super) tokens: Lock<Tokens>,
    steps: Lock<VecDeque<Step>>,
    log: Lock<Log>,
}

#[derive(Debug, Default)]
struct Log {
    received: u64,
    kept: VecDeque<Recorded>,
}

impl State {
    pub(super) fn set_script(&self, script: Script) {
        *self.steps.lock() = script.into_steps().into();
    }

    pub(super) fn push(&self, step: Step) {
        self.steps.lock().push_back(step);
    }

    pub(super) fn pending(&self) -> Vec<Step> {
        self.steps.lock().iter().cloned().collect()
    }

    /// Takes the first step that the request matches.
    pub(super) fn take(&self, asked: &Asked<'_>) -> Option<Step> {
        let mut steps = self.steps.lock();
        let index = steps.iter().position(|step| step.matches(asked))?;
        let step = &mut steps[index];
        match &mut step.repeat {
            Repeat::Times(0 | 1) => steps.remove(index),
            Repeat::Times(left) => {
                *left -= 1;
                Some(step.clone())
            }
            Repeat::Forever => Some(step.clone()),
        }
    }

    /// Records a request, forgets those over the limit, and returns its number, from 1.
    pub(super) fn record(&self, request: Recorded, history: usize) -> u64 {
        let mut log = self.log.lock();
        log.received += 1;
        log.kept.push_back(request);
        while log.kept.len() > history {
            log.kept.pop_front();
        }
        log.received
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.log.lock().kept.iter().cloned().collect()
    }

    pub(super) fn received(&self) -> u64 {
        self.log.lock().received
    }
}
