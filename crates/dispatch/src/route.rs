//! One route: its rule, what was learned of it, and its requests that wait.

use std::{collections::VecDeque, time::Duration};

use crate::{
    Class, Executor, Priority, RequestId, RouteRule, Run, Settings,
    calls::{Charge, Probe},
    drain::Drain,
    group::{GroupName, Rank},
    profile::Profile,
    worker::WHOLE,
};

/// A waiting request and its ticket.
#[derive(Debug, Clone, Copy)]
struct Ticketed {
    request: RequestId,
    ticket: i64,
}

/// A route.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) rule: RouteRule,
    pub(crate) profile: Profile,
    /// What its calls are placed as: learned, or the operator's wish.
    pub(crate) class: Class,
    pub(crate) executor: Executor,
    /// By ticket, lowest first.
    queue: VecDeque<Ticketed>,
    /// Its entry among the heads of its group.
    pub(crate) head: Option<Rank>,
    /// Calls that are placed.
    pub(crate) placed: u32,
    /// For a route with a bound of its own.
    pub(crate) drain: Drain,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            rule: RouteRule::default(),
            profile: Profile::default(),
            class: Class::Unknown,
            executor: Executor::Loop,
            queue: VecDeque::new(),
            head: None,
            placed: 0,
            drain: Drain::default(),
        }
    }
}

impl Route {
    /// Finds class and executor anew, after a change of rule or profile, or when time may have changed them.
    pub(crate) fn refresh(&mut self, settings: &Settings, now: Duration) {
        self.profile.fade(now);
        let learned = self.profile.class();
        (self.class, self.executor) = match self.rule.run {
            Some(Run::Loop) => (Class::Light, Executor::Loop),
            Some(Run::Heavy) => (Class::HoldsLoop, Executor::Loop),
            Some(Run::Thread) => (self.profile.class_on_thread(), Executor::Thread),
            None if learned == Class::HoldsLoop && settings.offload && self.rule.offloadable => {
                (self.profile.class_on_thread(), Executor::Thread)
            }
            None => (learned, Executor::Loop),
        };
    }

    /// It runs on a thread because it was seen to hold the event loop.
    pub(crate) fn is_offloaded(&self) -> bool {
        self.executor == Executor::Thread && self.rule.run.is_none()
    }

    pub(crate) fn group(&self) -> GroupName {
        match self.class {
            Class::Unknown | Class::Trial => GroupName::New,
            Class::HoldsLoop => GroupName::Holding,
            Class::Computes => GroupName::Computing,
            Class::ComputesBriefly => GroupName::Brief,
            Class::WaitsOnThread => GroupName::Waiting,
            Class::Light => GroupName::Normal,
        }
    }

    pub(crate) fn priority(&self) -> Priority {
        self.rule.priority
    }

    pub(crate) fn is_limited(&self) -> bool {
        self.rule.concurrency.is_some()
    }

    /// As many of its calls are placed as its rule allows.
    pub(crate) fn is_full(&self) -> bool {
        self.rule.concurrency.is_some_and(|limit| self.placed >= limit)
    }

    /// Which of three kinds of new route it is: where there is no worker for one there is none for others of its kind.
    pub(crate) fn novelty(&self) -> usize {
        match (self.class, self.placed) {
            (Class::Unknown, 0) => 0,
            (Class::Unknown, _) => 1,
            _ => 2,
        }
    }

    /// What a call counts for at its worker, and whether it is to be watched for what it tells of the route.
    pub(crate) fn charge(&self, settings: &Settings) -> (Charge, Probe) {
        match self.class {
            Class::Unknown => (Charge::Loop(WHOLE), Probe::Offered),
            Class::Trial => (Charge::Threads(WHOLE), Probe::Offered),
            Class::HoldsLoop => (Charge::Loop(self.hold_share()), Probe::No),
            Class::Computes | Class::ComputesBriefly => (Charge::Threads(self.compute_share(settings)), Probe::No),
            Class::WaitsOnThread => (Charge::Waiting, Probe::No),
            Class::Light => (Charge::Nothing, Probe::No),
        }
    }

    pub(crate) fn hold_share(&self) -> u32 {
        thousandths(self.profile.saved().hold_share)
    }

    /// What a call counts for of a worker's GIL. One that computes briefly, for its part of the time after which it would
    /// be heavy: so a worker has in hand what keeps it busy for that time, and the rest waits in the front, where it
    /// can be counted, refused, or given to another.
    pub(crate) fn compute_share(&self, settings: &Settings) -> u32 {
        let learned = self.profile.saved();
        if self.class == Class::ComputesBriefly {
            thousandths(learned.thread_processor / settings.heavy_after.as_secs_f32())
        } else {
            thousandths(learned.compute_share)
        }
    }

    // The queue

    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn push(&mut self, request: RequestId, ticket: i64) {
        let entry = Ticketed { request, ticket };
        if ticket < 0 { self.queue.push_front(entry) } else { self.queue.push_back(entry) }
    }

    pub(crate) fn remove(&mut self, ticket: i64) {
        if let Ok(index) = self.queue.binary_search_by_key(&ticket, |entry| entry.ticket) {
            self.queue.remove(index);
        }
    }

    /// Which of its requests goes first, and how it compares to those of other routes. One that was taken back from a
    /// worker goes before all others.
    pub(crate) fn first(&self, newest_first: bool) -> Option<(RequestId, Rank)> {
        let (front, back) = (self.queue.front()?, self.queue.back()?);
        let newest = newest_first && front.ticket >= 0;
        let (entry, order) = if newest { (back, i64::MAX - back.ticket) } else { (front, front.ticket) };
        Some((entry.request, Rank { priority: self.priority(), order }))
    }

    pub(crate) fn requests(&self) -> impl Iterator<Item = RequestId> {
        self.queue.iter().map(|entry| entry.request)
    }
}

fn thousandths(share: f32) -> u32 {
    // Nothing measured yet: all of it.
    if share <= 0.0 { WHOLE } else { ((share * WHOLE as f32) as u32).min(WHOLE) }
}
