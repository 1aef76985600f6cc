//! A dispatcher with a clock in milliseconds, and short words for what happens to it.

#![allow(dead_code, reason = "each test file uses a part")]

use std::time::Duration;

use andon_dispatch::{
    Action, Arrival, Dispatcher, Event, Executor, Reason, RequestId, RouteId, RouteRule, Running, SavedProfile,
    Settings, Sight, Usage, WorkerId,
};

pub const FIRST: WorkerId = WorkerId(0);
pub const SECOND: WorkerId = WorkerId(1);
pub const THIRD: WorkerId = WorkerId(2);

/// Known to leave loop and GIL to others.
pub const LIGHT: RouteId = RouteId(0);
/// Known to hold its event loop all the time.
pub const BLOCKS: RouteId = RouteId(1);
/// Known to compute on a thread all the time.
pub const COMPUTES: RouteId = RouteId(2);
/// Nothing is known.
pub const NEW: RouteId = RouteId(3);

pub fn settings() -> Settings {
    Settings { window: 3, capacity: 5, ..Settings::default() }
}

pub fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// What is known of a route after many calls.
pub fn profile(hold_score: f32, compute_score: f32) -> SavedProfile {
    SavedProfile { calls: 100, hold_score, compute_score, run_time: 0.01, ..SavedProfile::default() }
}

/// The dispatcher at work.
pub struct Bench {
    pub dispatcher: Dispatcher,
    pub now: u64,
}

impl Bench {
    /// So many workers that are ready, and the routes above.
    pub fn new(settings: Settings, workers: u32) -> Self {
        let mut bench = Self { dispatcher: Dispatcher::new(settings), now: 0 };
        for (route, profile) in [(LIGHT, profile(0.0, 0.0)), (BLOCKS, profile(1.0, 0.0)), (COMPUTES, profile(0.0, 1.0))]
        {
            bench.know(route, RouteRule::default(), Some(profile));
        }
        for worker in 0..workers {
            assert_eq!(bench.step(Event::WorkerReady(WorkerId(worker))), []);
        }
        bench
    }

    pub fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.dispatcher.step(milliseconds(self.now), event, &mut actions);
        actions
    }

    pub fn know(&mut self, route: RouteId, rule: RouteRule, profile: Option<SavedProfile>) {
        assert_eq!(self.step(Event::RouteKnown { route, rule, profile }), []);
    }

    pub fn arrive(&mut self, request: u32, route: RouteId) -> Vec<Action> {
        self.step(Event::Arrived(Arrival { request: RequestId(request), route, bytes: 0, deadline: None }))
    }

    pub fn take(&mut self, worker: WorkerId, total: u64) -> Vec<Action> {
        self.step(Event::Taken { worker, total })
    }

    pub fn recalled(&mut self, request: u32) -> Vec<Action> {
        self.step(Event::Recalled(RequestId(request)))
    }

    /// The request ends; its worker has measured it.
    pub fn end(&mut self, request: u32, usage: Usage) -> Vec<Action> {
        let mut actions = self.step(Event::Measured { request: RequestId(request), usage });
        actions.extend(self.step(Event::Ended(RequestId(request))));
        actions
    }

    pub fn end_light(&mut self, request: u32) -> Vec<Action> {
        self.end(request, Usage { loop_longest: milliseconds(1), loop_total: milliseconds(1), ..Usage::default() })
    }

    pub fn see(&mut self, worker: WorkerId, sight: Sight) -> Vec<Action> {
        self.step(Event::Seen { worker, sight })
    }

    pub fn tick_at(&mut self, now: u64) -> Vec<Action> {
        self.now = now;
        self.step(Event::Tick)
    }
}

pub fn running(request: u32, elapsed: u64, processor: u64) -> Running {
    let (elapsed, processor) = (milliseconds(elapsed), milliseconds(processor));
    Running { request: RequestId(request), elapsed, processor, excused: false }
}

/// A loop that stands in a step of that request.
pub fn holding(request: u32, elapsed: u64) -> Sight {
    Sight { step: Some(running(request, elapsed, 0)), ..Sight::default() }
}

pub fn offer(request: u32, worker: WorkerId, reason: Reason) -> Action {
    Action::Offer { request: RequestId(request), worker, executor: Executor::Loop, reason }
}

/// The workers that were offered something, in order.
pub fn offered(actions: &[Action]) -> Vec<(u32, WorkerId)> {
    let offer = |action: &Action| match *action {
        Action::Offer { request, worker, .. } => Some((request.0, worker)),
        _ => None,
    };
    actions.iter().filter_map(offer).collect()
}
