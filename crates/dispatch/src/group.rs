//! What waits for the same kind of place on a worker, over all routes of a kind: the order in which it is placed, its
//! bounds in time, and the rate at which it goes.

use std::{collections::BTreeSet, time::Duration};

use crate::{Lane, Priority, RequestId, RouteId, Settings, drain::Drain};

/// The kinds of waiting. The first three are the heavy lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupName {
    /// Calls of routes that nothing is known of.
    New,
    /// Calls that hold an event loop.
    Holding,
    /// Calls that compute on a thread.
    Computing,
    /// Calls that compute on a thread, but not for long.
    Brief,
    /// Calls that wait on a thread.
    Waiting,
    /// All others.
    Normal,
}

impl GroupName {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::New, Self::Holding, Self::Computing, Self::Brief, Self::Waiting, Self::Normal];

    /// The order in which they are served: heavy work is bounded in number and would starve behind normal work. On a
    /// worker that is `alone`, everything waits while its loop is held, so that comes last.
    pub(crate) fn in_order(alone: bool) -> [Self; 6] {
        if alone {
            [Self::New, Self::Computing, Self::Brief, Self::Waiting, Self::Normal, Self::Holding]
        } else {
            Self::ALL
        }
    }

    pub(crate) fn lane(self) -> Lane {
        match self {
            Self::Normal | Self::Brief | Self::Waiting => Lane::Normal,
            Self::New | Self::Holding | Self::Computing => Lane::Heavy,
        }
    }

    /// How long one may wait here.
    pub(crate) fn timeout(self, settings: &Settings) -> Duration {
        match self.lane() {
            Lane::Normal => settings.queue_timeout,
            Lane::Heavy => settings.heavy_queue_timeout,
        }
    }
}

/// The order of requests in a group: lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) priority: Priority,
    pub(crate) order: i64,
}

/// A queue that was not empty for this part of the timeout is no burst any more.
const STANDING_AFTER: u32 = 2;
/// Then so much of the timeout is the wait that is let in. A saturated server whose clients wait for less than that is
/// busy, not overloaded: it goes on first come, first served.
const STANDING_WAIT: u32 = 5;
/// Under standing overload the newest goes first, but not before what has waited for so much of the timeout.
const PASSED_OVER: u32 = 2;

/// The wait that a new arrival may expect at most: less than the timeout, for it is an estimate.
pub(crate) fn admitted_wait(timeout: Duration) -> Duration {
    timeout * 4 / 5
}

/// What waits in one group.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The first request of each route that may be placed.
    pub(crate) heads: BTreeSet<(Rank, RouteId)>,
    /// Everything that waits here, by the time at which it has waited long enough.
    pub(crate) expiries: BTreeSet<(Duration, RequestId)>,
    /// Those of routes without a bound of their own, by priority.
    waiting: [usize; 3],
    pub(crate) drain: Drain,
    /// Since when something waits.
    since: Duration,
    pub(crate) newest_first: bool,
}

impl Group {
    pub(crate) fn is_empty(&self) -> bool {
        self.expiries.is_empty()
    }

    /// Since when something waits here that could be placed if a worker were free.
    pub(crate) fn waiting_since(&self) -> Option<Duration> {
        (!self.heads.is_empty()).then_some(self.since)
    }

    /// Counts one that waits.
    pub(crate) fn add(&mut self, priority: Priority, limited: bool, now: Duration) {
        if self.is_empty() {
            self.since = now;
            self.newest_first = false;
        }
        if !limited {
            if self.waiting == [0; 3] {
                self.since = now;
                self.drain.begin(now);
            }
            self.waiting[priority as usize] += 1;
        }
    }

    pub(crate) fn subtract(&mut self, priority: Priority, limited: bool) {
        if !limited {
            self.waiting[priority as usize] -= 1;
        }
    }

    /// Whether one more of that priority would wait longer than is allowed.
    pub(crate) fn is_overloaded(
        &self,
        name: GroupName,
        priority: Priority,
        now: Duration,
        settings: &Settings,
    ) -> bool {
        if self.waiting == [0; 3] {
            return false;
        }
        let timeout = name.timeout(settings);
        let allowed =
            if self.is_standing(name, now, settings) { timeout / STANDING_WAIT } else { admitted_wait(timeout) };
        let ahead = self.waiting[..=priority as usize].iter().sum();
        self.drain.expected_wait(ahead, now) > allowed
    }

    /// Whether the queue has not been empty for so long that it is no burst.
    pub(crate) fn is_standing(&self, name: GroupName, now: Duration, settings: &Settings) -> bool {
        let standing_after = name.timeout(settings) / STANDING_AFTER;
        self.waiting != [0; 3] && now.saturating_sub(self.since) >= standing_after
    }

    /// One that was passed over for long enough: it goes next even if newer ones go first.
    pub(crate) fn overdue(&self, name: GroupName, now: Duration, settings: &Settings) -> Option<RequestId> {
        let timeout = name.timeout(settings);
        let &(expires, request) = self.expiries.first()?;
        (expires.saturating_sub(now) < timeout - timeout / PASSED_OVER).then_some(request)
    }
}
