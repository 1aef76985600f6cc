//! Where a request was placed, and why: what an answer's header fields and the access log can tell.

use std::time::Duration;

use andon_dispatch::{Executor, Lane, Reason};

use crate::clock;

/// The last placement of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Number of the worker, as the log has it.
    pub worker: u32,
    /// The lane in which requests of its route wait.
    pub lane: Lane,
    /// Where the worker was told to run it.
    pub executor: Executor,
    /// Why it was placed there.
    pub reason: Reason,
    /// From its arrival to this placement.
    pub queued: Duration,
    /// When it was placed, by the monotonic clock.
    pub(crate) placed: Duration,
}

impl Placement {
    /// Time since the request was placed.
    pub fn running(&self) -> Duration {
        clock::now().saturating_sub(self.placed)
    }
}
