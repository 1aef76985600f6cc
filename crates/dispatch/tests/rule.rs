//! The rule of dispatch, as sentences, and its invariants under random histories.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use andon_dispatch::{Action, Dispatcher, Event, Refusal, RequestId, Settings, WorkerId};
use proptest::prelude::*;

const FIRST: WorkerId = WorkerId(0);
const SECOND: WorkerId = WorkerId(1);

fn settings() -> Settings {
    Settings { window: 3, capacity: 5, concurrency: Some(12), stall_after: Duration::from_millis(20) }
}

/// A dispatcher with so many workers that are ready.
fn with_workers(count: u32) -> Dispatcher {
    let mut dispatcher = Dispatcher::new(settings());
    for worker in 0..count {
        assert!(step(&mut dispatcher, 0, Event::WorkerReady(WorkerId(worker))).is_empty());
    }
    dispatcher
}

fn step(dispatcher: &mut Dispatcher, milliseconds: u64, event: Event) -> Vec<Action> {
    let mut actions = Vec::new();
    dispatcher.step(Duration::from_millis(milliseconds), event, &mut actions);
    actions
}

fn arrive(dispatcher: &mut Dispatcher, request: u32) -> Vec<Action> {
    step(dispatcher, 0, Event::Arrived(RequestId(request)))
}

#[test]
fn a_request_goes_to_the_least_busy_worker_and_among_equals_to_the_first() {
    let mut dispatcher = with_workers(2);
    assert_eq!(arrive(&mut dispatcher, 0), [Action::Offer(RequestId(0), FIRST)]);
    assert_eq!(arrive(&mut dispatcher, 1), [Action::Offer(RequestId(1), SECOND)]);
    assert_eq!(step(&mut dispatcher, 0, Event::Ended(RequestId(1))), []);
    assert_eq!(arrive(&mut dispatcher, 2), [Action::Offer(RequestId(2), SECOND)]);
}

#[test]
fn a_worker_that_takes_nothing_up_is_given_no_more_than_its_window() {
    let mut dispatcher = with_workers(1);
    for request in 0..3 {
        assert_eq!(arrive(&mut dispatcher, request).len(), 1);
    }
    assert_eq!(arrive(&mut dispatcher, 3), []);
    let taken = Event::Taken { worker: FIRST, total: 1 };
    assert_eq!(step(&mut dispatcher, 0, taken), [Action::Offer(RequestId(3), FIRST)]);
}

#[test]
fn what_a_stalled_worker_has_not_taken_up_is_recalled_once_and_goes_elsewhere() {
    let mut dispatcher = with_workers(2);
    arrive(&mut dispatcher, 0);
    assert_eq!(step(&mut dispatcher, 19, Event::Tick), []);
    assert_eq!(step(&mut dispatcher, 20, Event::Tick), [Action::Recall(RequestId(0), FIRST)]);
    let recalled = step(&mut dispatcher, 20, Event::Recalled(RequestId(0)));
    assert_eq!(recalled, [Action::Offer(RequestId(0), SECOND)]);
    assert_eq!(step(&mut dispatcher, 30, Event::Tick), []);
}

#[test]
fn a_stalled_worker_is_given_nothing_until_it_has_come_past_all_offers() {
    let mut dispatcher = with_workers(1);
    arrive(&mut dispatcher, 0);
    arrive(&mut dispatcher, 1);
    assert_eq!(step(&mut dispatcher, 25, Event::Tick).len(), 2);
    assert_eq!(step(&mut dispatcher, 25, Event::Recalled(RequestId(1))), []);
    assert_eq!(step(&mut dispatcher, 26, Event::Taken { worker: FIRST, total: 1 }), []);
    let caught_up = Event::Taken { worker: FIRST, total: 2 };
    assert_eq!(step(&mut dispatcher, 27, caught_up), [Action::Offer(RequestId(1), FIRST)]);
}

#[test]
fn a_recalled_request_is_placed_before_those_that_came_later() {
    let mut dispatcher = with_workers(1);
    for request in 0..4 {
        arrive(&mut dispatcher, request);
    }
    step(&mut dispatcher, 25, Event::Tick);
    step(&mut dispatcher, 25, Event::Recalled(RequestId(0)));
    let up = step(&mut dispatcher, 26, Event::WorkerReady(SECOND));
    assert_eq!(up[0], Action::Offer(RequestId(0), SECOND));
    assert_eq!(up[1], Action::Offer(RequestId(3), SECOND));
}

#[test]
fn without_a_worker_a_request_is_refused_at_once() {
    let mut dispatcher = with_workers(1);
    step(&mut dispatcher, 0, Event::WorkerGone(FIRST));
    assert_eq!(arrive(&mut dispatcher, 0), [Action::Refuse(RequestId(0), Refusal::NoWorker)]);
    assert_eq!(dispatcher.live(), 0);
}

#[test]
fn a_retired_worker_is_given_nothing_and_keeps_what_it_has() {
    let mut dispatcher = with_workers(2);
    arrive(&mut dispatcher, 0);
    step(&mut dispatcher, 0, Event::WorkerRetired(FIRST));
    assert_eq!(dispatcher.busy(FIRST), 1);
    for request in 1..4 {
        assert_eq!(arrive(&mut dispatcher, request), [Action::Offer(RequestId(request), SECOND)]);
    }
}

#[test]
fn one_request_more_than_the_limit_is_refused() {
    let mut dispatcher = with_workers(2);
    for request in 0..12 {
        arrive(&mut dispatcher, request);
    }
    assert_eq!(arrive(&mut dispatcher, 12), [Action::Refuse(RequestId(12), Refusal::Overloaded)]);
    step(&mut dispatcher, 0, Event::Ended(RequestId(0)));
    assert_ne!(arrive(&mut dispatcher, 12), [Action::Refuse(RequestId(12), Refusal::Overloaded)]);
}

#[test]
fn a_count_that_a_worker_cannot_have_reached_is_clamped() {
    let mut dispatcher = with_workers(1);
    arrive(&mut dispatcher, 0);
    step(&mut dispatcher, 0, Event::Taken { worker: FIRST, total: u64::MAX });
    arrive(&mut dispatcher, 1);
    assert!(dispatcher.has_offers());
}

/// What the random histories are made of; numbers choose among what is possible then.
#[derive(Debug, Clone)]
enum Move {
    Arrive,
    Take(usize),
    End(usize),
    Ready,
    Gone(usize),
    Retire(usize),
    Tick(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => Just(Move::Arrive),
        5 => any::<usize>().prop_map(Move::Take),
        4 => any::<usize>().prop_map(Move::End),
        1 => Just(Move::Ready),
        1 => any::<usize>().prop_map(Move::Gone),
        1 => any::<usize>().prop_map(Move::Retire),
        2 => (1_u64..30).prop_map(Move::Tick),
    ];
    prop::collection::vec(one, 1..200)
}

/// One worker as the world has it: what it was offered and has not come past, and what it runs.
#[derive(Default)]
struct World {
    offered: VecDeque<RequestId>,
    recalled: HashSet<RequestId>,
    running: HashSet<RequestId>,
    taken: u64,
    retired: bool,
}

#[derive(Default)]
struct Model {
    workers: HashMap<WorkerId, World>,
    waiting: HashSet<RequestId>,
    now: u64,
    next_worker: u32,
    next_request: u32,
}

impl Model {
    fn apply(&mut self, dispatcher: &mut Dispatcher, event: Event) {
        for action in step(dispatcher, self.now, event) {
            self.carry_out(dispatcher, action);
        }
    }

    fn carry_out(&mut self, dispatcher: &mut Dispatcher, action: Action) {
        match action {
            Action::Offer(request, worker) => {
                assert!(self.waiting.remove(&request), "only a waiting request is offered");
                let world = self.workers.get_mut(&worker).expect("only a live worker is offered");
                assert!(!world.retired, "a retired worker is offered nothing");
                world.offered.push_back(request);
                assert!(world.offered.len() <= settings().window, "the window holds");
            }
            Action::Recall(request, worker) => {
                let world = self.workers.get_mut(&worker).expect("only a live worker's offers are recalled");
                if world.offered.contains(&request) && world.recalled.insert(request) {
                    self.waiting.insert(request);
                    self.apply(dispatcher, Event::Recalled(request));
                }
            }
            Action::Refuse(request, refusal) => {
                assert!(self.waiting.remove(&request), "only a waiting request is refused");
                if refusal == Refusal::NoWorker {
                    assert!(self.workers.values().all(|world| world.retired), "refused with a worker up");
                }
            }
        }
    }

    fn pick(&self, choice: usize) -> Option<WorkerId> {
        let mut ids: Vec<_> = self.workers.keys().copied().collect();
        ids.sort();
        (!ids.is_empty()).then(|| ids[choice % ids.len()])
    }

    fn play(&mut self, dispatcher: &mut Dispatcher, step: Move) {
        match step {
            Move::Arrive => {
                let request = RequestId(self.next_request);
                self.next_request += 1;
                self.waiting.insert(request);
                self.apply(dispatcher, Event::Arrived(request));
            }
            Move::Ready => {
                let worker = WorkerId(self.next_worker);
                self.next_worker += 1;
                self.workers.insert(worker, World::default());
                self.apply(dispatcher, Event::WorkerReady(worker));
            }
            Move::Tick(milliseconds) => {
                self.now += milliseconds;
                self.apply(dispatcher, Event::Tick);
            }
            Move::Take(choice) => self.take(dispatcher, choice),
            Move::End(choice) => self.end(dispatcher, choice),
            Move::Gone(choice) => self.lose(dispatcher, choice),
            Move::Retire(choice) => {
                if let Some(worker) = self.pick(choice) {
                    self.workers.get_mut(&worker).unwrap().retired = true;
                    self.apply(dispatcher, Event::WorkerRetired(worker));
                }
            }
        }
    }

    fn take(&mut self, dispatcher: &mut Dispatcher, choice: usize) {
        let Some(worker) = self.pick(choice) else { return };
        let world = self.workers.get_mut(&worker).unwrap();
        let Some(request) = world.offered.pop_front() else { return };
        if !world.recalled.remove(&request) {
            world.running.insert(request);
        }
        world.taken += 1;
        let total = world.taken;
        self.apply(dispatcher, Event::Taken { worker, total });
    }

    fn end(&mut self, dispatcher: &mut Dispatcher, choice: usize) {
        let Some(worker) = self.pick(choice) else { return };
        let world = self.workers.get_mut(&worker).unwrap();
        let Some(request) = world.running.iter().min().copied() else { return };
        world.running.remove(&request);
        self.apply(dispatcher, Event::Ended(request));
    }

    fn lose(&mut self, dispatcher: &mut Dispatcher, choice: usize) {
        let Some(worker) = self.pick(choice) else { return };
        let world = self.workers.remove(&worker).unwrap();
        self.apply(dispatcher, Event::WorkerGone(worker));
        for request in world.running {
            self.apply(dispatcher, Event::Ended(request));
        }
        for request in world.offered.into_iter().filter(|request| !world.recalled.contains(request)) {
            self.waiting.insert(request);
            self.apply(dispatcher, Event::Recalled(request));
        }
    }
}

proptest! {
    #[test]
    fn every_history_keeps_the_rule(moves in moves()) {
        let mut dispatcher = Dispatcher::new(settings());
        let mut model = Model::default();
        for step in moves {
            model.play(&mut dispatcher, step);
            prop_assert_eq!(dispatcher.waiting(), model.waiting.len());
            let placed: usize = model
                .workers
                .values()
                .map(|world| world.running.len() + world.offered.len() - world.recalled.len())
                .sum();
            prop_assert_eq!(dispatcher.live(), placed + model.waiting.len());
            // Nothing waits while a worker is idle through and through.
            let idle = |world: &World| !world.retired && world.offered.is_empty() && world.running.is_empty();
            prop_assert!(model.waiting.is_empty() || !model.workers.values().any(idle));
        }
    }
}
