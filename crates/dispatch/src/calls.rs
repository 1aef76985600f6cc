//! The requests that have not ended, by number.

use std::time::Duration;

use crate::{Executor, RequestId, RouteId, Usage, WorkerId, worker::Offer};

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not known, or ended.
    Absent,
    /// In the queue of its route.
    Waiting,
    Placed(WorkerId),
}

/// What a request counts for at its worker, in thousandths of its event loop or of its GIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    Nothing,
    Loop(u32),
    Threads(u32),
    /// One thread that waits.
    Waiting,
}

impl Charge {
    /// It counts for some share of the event loop or of the GIL.
    pub(crate) fn is_share(self) -> bool {
        matches!(self, Self::Loop(1..) | Self::Threads(1..))
    }
}

/// How far a call has come that tells what its route is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Its route was known when it was placed, or is known by now.
    No,
    /// Offered, not known to have been taken up.
    Offered,
    /// Taken up; so many looks since then have not found it holding the event loop.
    Begun(u8),
    /// Its first step has ended; it may be computing on a thread.
    Trial,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) place: Place,
    pub(crate) route: RouteId,
    pub(crate) bytes: u64,
    pub(crate) arrived: Duration,
    pub(crate) deadline: Option<Duration>,
    /// Its place in the queue; below zero if it was taken back from a worker.
    pub(crate) ticket: i64,
    /// When it has waited long enough; valid while it waits.
    pub(crate) expires: Duration,
    pub(crate) placed: Duration,
    /// Counts all placements; tells the present one from those that were recalled.
    pub(crate) placement: u64,
    pub(crate) charge: Charge,
    pub(crate) probe: Probe,
    pub(crate) executor: Executor,
    /// For so long it was seen to hold the event loop, or to be the thread that computes most.
    pub(crate) heavy: Duration,
    /// It was seen holding the event loop, and its route has been blamed.
    pub(crate) seen_holding: bool,
    /// It was seen computing on a thread, and its route has been blamed.
    pub(crate) seen_computing: bool,
    pub(crate) usage: Option<Usage>,
}

impl Call {
    const ABSENT: Self = Self {
        place: Place::Absent,
        route: RouteId(0),
        bytes: 0,
        arrived: Duration::ZERO,
        deadline: None,
        ticket: 0,
        expires: Duration::MAX,
        placed: Duration::ZERO,
        placement: 0,
        charge: Charge::Nothing,
        probe: Probe::No,
        executor: Executor::Loop,
        heavy: Duration::ZERO,
        seen_holding: false,
        seen_computing: false,
        usage: None,
    };

    pub(crate) fn new(route: RouteId, bytes: u64, arrived: Duration, deadline: Option<Duration>) -> Self {
        Self { place: Place::Waiting, route, bytes, arrived, deadline, ..Self::ABSENT }
    }

    pub(crate) fn is_past_deadline(&self, now: Duration) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    pub(crate) fn was_returned(&self) -> bool {
        self.ticket < 0
    }
}

/// All requests.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    list: Vec<Call>,
}

impl Calls {
    pub(crate) fn insert(&mut self, request: RequestId, call: Call) {
        let index = request.0 as usize;
        if self.list.len() <= index {
            self.list.resize(index + 1, Call::ABSENT);
        }
        self.list[index] = call;
    }

    /// The request, unless it has ended.
    pub(crate) fn get(&self, request: RequestId) -> Option<&Call> {
        self.list.get(request.0 as usize).filter(|call| call.place != Place::Absent)
    }

    pub(crate) fn get_mut(&mut self, request: RequestId) -> Option<&mut Call> {
        self.list.get_mut(request.0 as usize).filter(|call| call.place != Place::Absent)
    }

    /// The request, if it is placed on that worker.
    pub(crate) fn placed_on(&mut self, request: RequestId, worker: WorkerId) -> Option<&mut Call> {
        self.get_mut(request).filter(|call| call.place == Place::Placed(worker))
    }

    /// The request of an offer, unless it has left that worker since.
    pub(crate) fn offered(&self, offer: &Offer) -> Option<&Call> {
        let placed = |call: &&Call| call.placement == offer.placement && matches!(call.place, Place::Placed(_));
        self.get(offer.request).filter(placed)
    }

    pub(crate) fn remove(&mut self, request: RequestId) {
        if let Some(call) = self.list.get_mut(request.0 as usize) {
            call.place = Place::Absent;
        }
    }
}
