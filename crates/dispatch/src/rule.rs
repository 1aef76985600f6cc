//! What the operator says of a route, and how a placement is described to the operator.

use serde::{Deserialize, Serialize};

/// How calls of a route are run, whatever was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// On the event loop, in the normal lane.
    Loop,
    /// On a thread.
    Thread,
    /// In the heavy lane, as one that holds its event loop.
    Heavy,
}

/// Which of two requests of a lane goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before all others.
    High,
    /// As most.
    #[default]
    Normal,
    /// After all others.
    Low,
}

/// What the operator, or the route's own code, says of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteRule {
    /// Overrides what is learned.
    pub run: Option<Run>,
    /// Calls of the route that may be placed at once, over all workers; more wait.
    pub concurrency: Option<u32>,
    /// Which of two requests of a lane goes first.
    pub priority: Priority,
    /// Its code cannot suspend, so that it may run on a thread instead of the event loop.
    pub offloadable: bool,
}

/// Where a worker is to run a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Executor {
    /// As the application wants it: its callable is called on the event loop.
    Loop,
    /// Its endpoint runs on a thread though it is a coroutine function.
    Thread,
}

/// Where a request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Routes that leave the event loop and the GIL to others.
    Normal,
    /// Routes that hold one of them, and routes that nothing is known of yet.
    Heavy,
}

impl Lane {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Heavy => "heavy",
        }
    }
}

/// Why a request was given to its worker. `docs/dispatch.md` explains each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// At once, to the least busy worker that was free.
    LeastBusy,
    /// It waited in the queue until a worker of its lane was free.
    Waited,
    /// It was taken back from a worker that had stalled or died before starting it.
    Returned,
    /// Nothing, or too little, is known of its route yet: kept apart from heavy work and from other new routes.
    NewRoute,
    /// Its route holds the event loop: kept together on few workers, never on the last one.
    HoldsLoop,
    /// Its route computes on a thread: no more of them in a process than compute for all of its time.
    Computes,
    /// Its route holds the event loop and was put on a thread instead.
    Offloaded,
    /// The operator's rule for the route says so.
    Rule,
}

impl Reason {
    /// As it is shown in headers and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeastBusy => "least-busy",
            Self::Waited => "waited",
            Self::Returned => "returned",
            Self::NewRoute => "new-route",
            Self::HoldsLoop => "holds-loop",
            Self::Computes => "computes",
            Self::Offloaded => "offloaded",
            Self::Rule => "rule",
        }
    }
}
