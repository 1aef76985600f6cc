//! What is known of running requests: measured by the worker, or seen from outside in its state words.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::RequestId;

/// What one request has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// The longest time for which one step of it held the event loop.
    pub loop_longest: Duration,
    /// The sum of all its steps on the event loop, wall time.
    pub loop_total: Duration,
    /// Processor time in those steps; steps too short to matter may be left out.
    pub loop_processor: Duration,
    /// Wall time of its work on threads.
    pub thread_total: Duration,
    /// Processor time of its work on threads.
    pub thread_processor: Duration,
    /// Its longest step was not the route's fault: garbage collection, a starved machine, the GIL held by another thread.
    pub excused: bool,
    /// It was the first of its route in its worker, which may have imported modules.
    pub first: bool,
}

/// Work that is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Whose work it is.
    pub request: RequestId,
    /// For how long this step, or this call on a thread, has run.
    pub elapsed: Duration,
    /// Processor time that it has used.
    pub processor: Duration,
    /// That it takes so long is not the route's fault; see [`Usage::excused`].
    pub excused: bool,
}

/// What the state words of a worker show at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sight {
    /// How often the event loop has turned.
    pub turns: u64,
    /// The step that holds the event loop now.
    pub step: Option<Running>,
    /// The work on a thread that has used most processor time.
    pub threads: Option<Running>,
}
