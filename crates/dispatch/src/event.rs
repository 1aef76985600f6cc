//! What the dispatcher is told and what it answers. A recorded list of both can be replayed ([`crate::Record`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Executor, Reason, RouteRule, SavedProfile, Sight, Usage};

/// A request, named by its caller. A number may be used again once its request has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(pub u32);

/// A worker, named by its caller. Numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkerId(pub u32);

/// A route, named by its caller: small numbers, for a table is indexed by them. A route that was never described by
/// [`Event::RouteKnown`] has no rule and nothing learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RouteId(pub u32);

/// A request that wants a worker.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The request.
    pub request: RequestId,
    /// Its route.
    pub route: RouteId,
    /// What it holds in the front's memory while it waits.
    pub bytes: u64,
    /// It must not be started at this time or later; on the same clock as `now`.
    pub deadline: Option<Duration>,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// What the operator says of a route, and what was learned of it by an earlier server.
    RouteKnown {
        /// The route.
        route: RouteId,
        /// The operator's wishes; they replace earlier ones.
        rule: RouteRule,
        /// Replaces what was learned, if there is one.
        profile: Option<SavedProfile>,
    },
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
    Arrived(Arrival),
    /// An offer was taken back before the worker started it; it wants another worker.
    Recalled(RequestId),
    /// What the request has used so far. Given at least once before [`Event::Ended`], unless the request was lost.
    Measured {
        /// The request.
        request: RequestId,
        /// Cumulative: replaces what was measured of it before.
        usage: Usage,
    },
    /// The request needs no worker any more: answered, given up by its client, or lost.
    Ended(RequestId),
    /// What the state words of a worker show; about every 5 ms while [`crate::Dispatcher::needs_ticks`].
    Seen {
        /// The worker.
        worker: WorkerId,
        /// What was seen.
        sight: Sight,
    },
    /// Time has passed.
    Tick,
}

/// What is to be done, in this order. A step never has an offer behind a recall, so a caller may report what came of a
/// recall before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Offer the request to the worker.
    Offer {
        /// The request.
        request: RequestId,
        /// The worker.
        worker: WorkerId,
        /// Where the worker is to run it.
        executor: Executor,
        /// Why it was placed so.
        reason: Reason,
    },
    /// Try to take the request back from the worker; report [`Event::Recalled`] if that succeeds.
    Recall(RequestId, WorkerId),
    /// Answer the request without a worker. It has ended.
    Refuse(RequestId, Refusal),
    /// So many workers are wanted from now on.
    Resize(usize),
}

/// Why a request gets no worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// No worker is up.
    NoWorker,
    /// As many requests or bytes as are allowed are there already, or it would wait longer than is allowed.
    Overloaded,
    /// Its route has a bound of its own, and it would wait for that longer than is allowed.
    RouteFull,
    /// It has waited as long as is allowed.
    TimedOut,
    /// Its deadline has passed before it was started.
    DeadlinePassed,
}
