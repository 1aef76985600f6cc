//! The state of dispatch and its one entrance. What each event does is in the files named after it: [`crate::arrival`],
//! [`crate::placing`], [`crate::looking`], [`crate::ending`].
//!
//! Invariants between steps:
//! - a request is absent, waits in the queue of its route, or is placed on one worker;
//! - `waiting`, `waiting_bytes`, the groups' counts and heads, and the workers' sums say the same as the requests;
//! - nothing waits that a free worker could take, except behind what goes first.

use std::time::Duration;

use crate::{
    Action, Class, Event, Lane, Refusal, RouteId, SavedProfile, Settings, WorkerId,
    calls::Calls,
    elastic::{Need, Size},
    group::{Group, GroupName},
    profile::Profile,
    reserve::Reserve,
    route::Route,
    workers::Workers,
};

/// The state of dispatch. Time is given to it, as the duration since any fixed moment.
#[derive(Debug)]
pub struct Dispatcher {
    pub(crate) settings: Settings,
    pub(crate) workers: Workers,
    pub(crate) calls: Calls,
    pub(crate) routes: Vec<Route>,
    pub(crate) groups: [Group; GroupName::ALL.len()],
    pub(crate) waiting: usize,
    pub(crate) waiting_bytes: u64,
    pub(crate) live: usize,
    pub(crate) next_ticket: i64,
    pub(crate) first_ticket: i64,
    pub(crate) placements: u64,
    pub(crate) reserve: Reserve,
    /// What the present step takes back.
    pub(crate) recalls: Vec<Action>,
    size: Size,
}

impl Dispatcher {
    /// No worker, no request.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            workers: Workers::default(),
            calls: Calls::default(),
            routes: Vec::new(),
            groups: Default::default(),
            waiting: 0,
            waiting_bytes: 0,
            live: 0,
            next_ticket: 0,
            first_ticket: -1,
            placements: 0,
            reserve: Reserve::default(),
            recalls: Vec::new(),
            size: Size::default(),
        }
    }

    /// Requests in the queue.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Requests that have not ended, queued or placed.
    pub fn live(&self) -> usize {
        self.live
    }

    /// Requests placed on a worker that have not ended.
    pub fn busy(&self, worker: WorkerId) -> usize {
        self.workers.get(worker).map_or(0, |worker| worker.busy as usize)
    }

    /// Whether the caller is to look at the workers about every 5 ms: [`Event::Taken`] and [`Event::Seen`] of each,
    /// then one [`Event::Tick`].
    pub fn needs_ticks(&self) -> bool {
        self.workers.iter().any(|worker| worker.needs_looks())
    }

    /// When an [`Event::Tick`] is due even if nothing happens and no looks are needed.
    pub fn next_deadline(&self) -> Option<Duration> {
        let expiries = self.groups.iter().filter_map(|group| group.expiries.first().map(|first| first.0));
        expiries.chain(self.size.next_deadline(&self.settings)).min()
    }

    /// Where requests of the route wait now.
    pub fn lane_of(&self, route: RouteId) -> Lane {
        self.routes.get(route.0 as usize).map_or(GroupName::New, Route::group).lane()
    }

    /// What kind of work the route's calls are placed as now.
    pub fn class_of(&self, route: RouteId) -> Class {
        self.routes.get(route.0 as usize).map_or(Class::Unknown, |route| route.class)
    }

    /// Every route, what its calls are placed as, and what was learned of it.
    pub fn profiles(&self) -> impl Iterator<Item = (RouteId, Class, SavedProfile)> {
        let profile = |(index, route): (usize, &Route)| (RouteId(index as u32), route.class, route.profile.saved());
        self.routes.iter().enumerate().map(profile)
    }

    /// Takes in what happened at `now` and appends what is to be done to `actions`.
    pub fn step(&mut self, now: Duration, event: Event, actions: &mut Vec<Action>) {
        match event {
            Event::Arrived(arrival) => self.arrive(now, arrival, actions),
            Event::Taken { worker, total } => self.take(worker, total),
            Event::Measured { request, usage } => self.measure(now, request, usage),
            Event::Ended(request) => self.end(now, request),
            Event::Seen { worker, sight } => self.look(now, worker, sight),
            Event::Tick => self.tick(now, actions),
            Event::Recalled(request) => self.take_back(now, request, actions),
            Event::WorkerReady(worker) => self.workers.add(worker),
            Event::WorkerRetired(worker) => {
                if let Some(worker) = self.workers.get_mut(worker) {
                    worker.retired = true;
                }
            }
            Event::WorkerGone(worker) => self.workers.remove(worker),
            Event::RouteKnown { route, rule, profile } => {
                self.with_route(now, route, |route| {
                    route.rule = rule;
                    if let Some(saved) = profile {
                        route.profile = Profile::restore(saved, now);
                    }
                });
            }
        }
        if self.waiting > 0 {
            self.drop_expired(now, actions);
            self.place_waiting(now, actions);
        }
        // Last: a recall that succeeds is reported by a step of its own, whose offers must reach their workers after
        // those of this one. Workers tell what they have taken up by its number.
        actions.append(&mut self.recalls);
    }

    /// Time has passed.
    fn tick(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.recall_late(now);
        let waiting_since = self.groups.iter().filter_map(Group::waiting_since).min();
        let need = Need { waiting_since, ready: self.workers.ready(), spare: self.workers.spare(&self.settings) };
        actions.extend(self.size.resize(need, now, &self.settings).map(Action::Resize));
    }

    /// Nobody is up, so nothing can wait.
    pub(crate) fn refuse_all(&mut self, actions: &mut Vec<Action>) {
        for name in GroupName::ALL {
            while let Some(&(_, request)) = self.groups[name as usize].expiries.first() {
                self.drop_waiting(request, Refusal::NoWorker, actions);
            }
        }
    }
}
