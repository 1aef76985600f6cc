//! The front's shutdown, as every connection sees it: serve, then drain, then cut.
//!
//! Connections look at one atomic whenever they are polled, and are woken once per change. So a request pays one load.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::{Notify, futures::Notified};

/// How far the shutdown is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Stage {
    /// Requests are taken.
    Serving = 0,
    /// What is under way may end; nothing new begins.
    Draining = 1,
    /// Connections end at once.
    Cut = 2,
}

/// Where the front tells its connections.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    stage: AtomicU8,
    changed: Notify,
}

impl Closing {
    /// The stage now.
    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Serving,
            1 => Stage::Draining,
            _ => Stage::Cut,
        }
    }

    /// Goes on to `stage` and wakes every connection.
    pub(crate) fn advance(&self, stage: Stage) {
        self.stage.fetch_max(stage as u8, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// Ready after the next change that follows this call; [`stage`](Self::stage) must be read after it.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }
}
