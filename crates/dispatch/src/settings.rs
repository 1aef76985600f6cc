//! The constants of the rule. `docs/dispatch.md` has the measurements behind the defaults.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The constants of the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Offers that a worker may hold without having taken them up.
    pub window: usize,
    /// Requests that a worker may have at once, taken up or not.
    pub capacity: usize,
    /// Threads of a worker: calls that wait on them are given to it up to that number.
    pub threads: u32,
    /// Requests that may be queued or placed at once, over all workers; more are refused.
    pub concurrency: Option<usize>,
    /// Requests that may be queued; more are refused.
    pub queue_requests: usize,
    /// Bytes that queued requests may hold in the front's memory; above it, arrivals that would have to wait are
    /// refused.
    pub queue_bytes: u64,
    /// How long a request may wait in the normal lane.
    pub queue_timeout: Duration,
    /// How long a request may wait in the heavy lane, where one call may take many seconds.
    pub heavy_queue_timeout: Duration,
    /// An offer that is not taken up for so long is taken back, and a worker whose event loop is held for so long gets
    /// nothing more.
    pub stall_after: Duration,
    /// A step on the event loop, or processor time on a thread, of this length makes a route heavy.
    pub heavy_after: Duration,
    /// Routes that hold their event loop and cannot suspend are put on threads.
    pub offload: bool,
    /// More workers are started and ended as they are needed; else their number is the caller's.
    pub elastic: Option<Elastic>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: 64,
            capacity: 16 * 1024,
            concurrency: None,
            queue_requests: 100_000,
            queue_bytes: 256 * 1024 * 1024,
            queue_timeout: Duration::from_secs(10),
            heavy_queue_timeout: Duration::from_secs(60),
            stall_after: Duration::from_millis(20),
            heavy_after: Duration::from_millis(20),
            threads: 1000,
            offload: false,
            elastic: None,
        }
    }
}

/// How many workers there are to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Elastic {
    /// At least so many; the caller starts with them.
    pub min_workers: usize,
    /// At most so many.
    pub max_workers: usize,
    /// One more is wanted when requests have waited for a worker of their lane all this time.
    pub patience: Duration,
    /// One less is wanted when two have been to spare for so long.
    pub idle_after: Duration,
}

impl Default for Elastic {
    fn default() -> Self {
        Self {
            min_workers: 1,
            max_workers: 1,
            patience: Duration::from_millis(100),
            idle_after: Duration::from_secs(60),
        }
    }
}
