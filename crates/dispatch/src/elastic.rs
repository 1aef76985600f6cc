//! How many workers are wanted: one more while requests wait for want of a worker, one less when two have been to spare
//! for a while.

use std::time::Duration;

use crate::{Elastic, Settings};

/// What the choice is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// Since when something has waited all the time that a free worker could take.
    pub(crate) waiting_since: Option<Duration>,
    /// Workers that may be given something.
    pub(crate) ready: usize,
    /// Of those, free and without heavy work.
    pub(crate) spare: usize,
}

/// How many workers are wanted now.
#[derive(Debug, Default)]
pub(crate) struct Size {
    wanted: usize,
    /// When there were last fewer than two to spare, or something waited all the same.
    scarce: Duration,
}

impl Size {
    /// The number of workers that is wanted from now on, if it is another than before.
    pub(crate) fn resize(&mut self, need: Need, now: Duration, settings: &Settings) -> Option<usize> {
        let elastic = settings.elastic.as_ref()?;
        self.wanted = self.wanted.max(elastic.min_workers);
        let waited = need.waiting_since.is_some_and(|since| now.saturating_sub(since) >= elastic.patience);
        // Heavy work may wait while others are kept free of it.
        if need.spare < 2 || waited {
            self.scarce = now;
        }
        // While one is coming up, no further one is wanted.
        if waited && need.ready >= self.wanted && self.wanted < elastic.max_workers {
            self.wanted += 1;
            return Some(self.wanted);
        }
        if self.shrinks_at(elastic).is_some_and(|at| at <= now) {
            self.scarce = now;
            self.wanted -= 1;
            return Some(self.wanted);
        }
        None
    }

    fn shrinks_at(&self, elastic: &Elastic) -> Option<Duration> {
        (self.wanted > elastic.min_workers).then(|| self.scarce + elastic.idle_after)
    }

    /// When time alone may change the number.
    pub(crate) fn next_deadline(&self, settings: &Settings) -> Option<Duration> {
        self.shrinks_at(settings.elastic.as_ref()?)
    }
}
