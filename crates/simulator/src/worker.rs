//! A worker as a model: one event loop that runs a step at a time, threads that wait side by side and compute one after
//! the other, and the GIL between them.

use std::{collections::VecDeque, time::Duration};

use andon_dispatch::RequestId;

/// A computing thread makes the loop wait for the GIL about so long a step: the switch interval of a worker that has
/// one.
pub(crate) const GIL_WAIT: Duration = Duration::from_micros(500);

/// What the loop comes past in one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    /// A frame with an offer, told apart from earlier ones of the same request.
    Offer(RequestId, u64),
    /// A request that goes on.
    Continue(RequestId),
}

/// A request's work in execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Execution {
    pub(crate) request: RequestId,
    pub(crate) since: Duration,
    pub(crate) computes: bool,
}

/// A worker.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    pub(crate) retired: bool,
    /// Frames that the loop has not read.
    pub(crate) inbox: VecDeque<Item>,
    /// What goes on in the next turn.
    pub(crate) ready: VecDeque<Item>,
    /// What is left of this turn.
    turn: VecDeque<Item>,
    pub(crate) turns: u64,
    pub(crate) taken: u64,
    pub(crate) running: Option<Execution>,
    pub(crate) computing: Option<Execution>,
    /// Work that waits for the computing thread, and for how long it computes.
    pub(crate) to_compute: VecDeque<(RequestId, Duration)>,
    /// Requests here that have been started.
    pub(crate) started: usize,
}

impl Worker {
    /// The next thing for the loop to do; nothing if it parks.
    pub(crate) fn next_item(&mut self) -> Option<Item> {
        if self.turn.is_empty() {
            self.turns += 1;
            self.turn.append(&mut self.ready);
            self.turn.append(&mut self.inbox);
        }
        self.turn.pop_front()
    }

    /// Nothing is here and nothing will come.
    pub(crate) fn is_done(&self) -> bool {
        let empty = self.inbox.is_empty() && self.turn.is_empty() && self.ready.is_empty();
        self.retired && empty && self.started == 0
    }
}
