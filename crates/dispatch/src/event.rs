//! What the dispatcher is told and what it answers.

use std::time::Duration;

/// A request, named by its caller. A number may be used again once its request has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u32);

/// A worker, named by its caller. Numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub u32);

/// The constants of the rule.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Offers that a worker may hold without having taken them up.
    pub window: usize,
    /// Requests that a worker may have at once, taken up or not.
    pub capacity: usize,
    /// Requests that may be queued or placed at once, over all workers; more are refused.
    pub concurrency: Option<usize>,
    /// An offer that is not taken up for so long is taken back.
    pub stall_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { window: 64, capacity: 16 * 1024, concurrency: None, stall_after: Duration::from_millis(20) }
    }
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The worker can take requests.
    WorkerReady(WorkerId),
    /// The worker is to be given nothing more; what it has, it keeps.
    WorkerRetired(WorkerId),
    /// The worker is dead. Its caller reports each of its requests as [`Event::Recalled`] or [`Event::Ended`] next.
    WorkerGone(WorkerId),
    /// The worker has taken up so many offers since it began, in the order in which they were made.
    Taken {
        /// The worker.
        worker: WorkerId,
        /// Its count.
        total: u64,
    },
    /// A request wants a worker.
    Arrived(RequestId),
    /// An offer was taken back before the worker started it; it wants another worker.
    Recalled(RequestId),
    /// The request needs no worker any more: answered, given up by its client, or lost.
    Ended(RequestId),
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Offer the request to the worker.
    Offer(RequestId, WorkerId),
    /// Try to take the request back from the worker; report [`Event::Recalled`] if that succeeds.
    Recall(RequestId, WorkerId),
    /// Answer the request without a worker. It has ended.
    Refuse(RequestId, Refusal),
}

/// Why a request gets no worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No worker is up.
    NoWorker,
    /// As many requests as are allowed are queued or placed already.
    Overloaded,
}
