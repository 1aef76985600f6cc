//! What holds in every history: of arrivals, stalls, crashes, cancels, deadlines and lessons, in any order.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

mod support;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use andon_dispatch::{
    Action, Arrival, Class, Dispatcher, Event, Record, Refusal, RequestId, RouteId, RouteRule, Running, Settings,
    Sight, Usage, WorkerId, replay,
};
use proptest::{prelude::*, sample::Index};
use support::{BLOCKS, COMPUTES, LIGHT, NEW, milliseconds, profile};

/// Known to be light, and only two of it at once.
const LIMITED: RouteId = RouteId(4);
const ROUTES: [RouteId; 5] = [LIGHT, BLOCKS, COMPUTES, NEW, LIMITED];

fn settings() -> Settings {
    Settings { window: 3, capacity: 5, concurrency: Some(20), queue_requests: 12, ..Settings::default() }
}

/// Indices choose among what is possible then.
#[derive(Debug, Clone)]
enum Move {
    Arrive {
        route: usize,
        deadline: Option<u64>,
    },
    Take(Index),
    /// Ends after holding the loop, and computing on a thread, for so many milliseconds.
    End(Index, u64, u64),
    Leave(Index),
    Ready,
    Gone(Index),
    Retire(Index),
    Tick(u64),
    /// The loop of the worker is seen in a step, for so many milliseconds.
    See(Index, u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let index = || any::<Index>();
    let one = prop_oneof![
        9 => (0..5_usize, prop::option::weighted(0.2, 1..60_u64))
            .prop_map(|(route, deadline)| Move::Arrive { route, deadline }),
        7 => index().prop_map(Move::Take),
        5 => (index(), 0..60_u64, 0..60_u64).prop_map(|(call, held, computed)| Move::End(call, held, computed)),
        1 => index().prop_map(Move::Leave),
        1 => Just(Move::Ready),
        1 => index().prop_map(Move::Gone),
        1 => index().prop_map(Move::Retire),
        4 => (1..30_u64).prop_map(Move::Tick),
        2 => (index(), 0..40_u64).prop_map(|(worker, held)| Move::See(worker, held)),
    ];
    prop::collection::vec(one, 1..250)
}

/// One worker as the world has it: what it was offered and has not come past, and what it runs.
#[derive(Default)]
struct World {
    offered: VecDeque<(RequestId, bool)>,
    running: BTreeSet<RequestId>,
    taken: u64,
    turns: u64,
    retired: bool,
    stalled: bool,
}

impl World {
    /// Offers that have not been taken back.
    fn standing(&self) -> impl Iterator<Item = RequestId> {
        self.offered.iter().filter(|offer| !offer.1).map(|offer| offer.0)
    }

    fn has(&self) -> impl Iterator<Item = RequestId> {
        self.running.iter().copied().chain(self.standing())
    }

    fn is_idle(&self) -> bool {
        !self.retired && !self.stalled && self.offered.is_empty() && self.running.is_empty()
    }
}

struct Model {
    dispatcher: Dispatcher,
    workers: BTreeMap<WorkerId, World>,
    waiting: BTreeSet<RequestId>,
    arrivals: BTreeMap<RequestId, Arrival>,
    ended: BTreeSet<RequestId>,
    records: Vec<Record>,
    now: u64,
    next_worker: u32,
}

impl Model {
    fn new() -> Self {
        let mut model = Self {
            dispatcher: Dispatcher::new(settings()),
            workers: BTreeMap::new(),
            waiting: BTreeSet::new(),
            arrivals: BTreeMap::new(),
            ended: BTreeSet::new(),
            records: Vec::new(),
            now: 0,
            next_worker: 0,
        };
        for (route, holds, computes) in
            [(LIGHT, 0.0, 0.0), (BLOCKS, 4.0, 0.0), (COMPUTES, 0.0, 4.0), (LIMITED, 0.0, 0.0)]
        {
            let rule = RouteRule { concurrency: (route == LIMITED).then_some(2), ..RouteRule::default() };
            model.apply(Event::RouteKnown { route, rule, profile: Some(profile(holds, computes)) });
        }
        model
    }

    fn apply(&mut self, event: Event) {
        let mut actions = Vec::new();
        let now = milliseconds(self.now);
        self.dispatcher.step(now, event.clone(), &mut actions);
        self.records.push(Record { now, event, actions: actions.clone() });
        let is_recall = |action: &Action| matches!(action, Action::Recall(..));
        assert!(actions.is_sorted_by_key(is_recall), "a recall comes after all offers of its step");
        for action in actions {
            self.carry_out(action);
        }
    }

    fn finish(&mut self, request: RequestId) {
        assert!(self.ended.insert(request), "each request ends once");
        self.waiting.remove(&request);
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Offer { request, worker, .. } => self.offer(request, worker),
            Action::Recall(request, worker) => {
                let world = self.workers.get_mut(&worker).expect("only a live worker's offers are recalled");
                let offer = world.offered.iter_mut().find(|offer| **offer == (request, false));
                offer.expect("only a standing offer is recalled").1 = true;
                self.waiting.insert(request);
                self.apply(Event::Recalled(request));
            }
            Action::Refuse(request, refusal) => {
                assert!(self.waiting.contains(&request), "only a waiting request is refused");
                if refusal == Refusal::NoWorker {
                    assert!(self.workers.values().all(|world| world.retired), "refused with a worker up");
                }
                self.finish(request);
            }
            Action::Resize(_) => panic!("the number of workers is fixed"),
        }
    }

    fn offer(&mut self, request: RequestId, worker: WorkerId) {
        assert!(self.waiting.remove(&request), "only a waiting request is offered");
        let arrival = self.arrivals[&request];
        assert!(
            arrival.deadline.is_none_or(|deadline| milliseconds(self.now) < deadline),
            "offered after its deadline"
        );
        if self.dispatcher.class_of(arrival.route) == Class::HoldsLoop {
            self.check_last_worker(worker, arrival.route);
        }
        let world = self.workers.get_mut(&worker).expect("only a live worker is offered");
        assert!(!world.retired, "a retired worker is offered nothing");
        world.offered.push_back((request, false));
        assert!(world.offered.len() <= settings().window, "the window holds");
        assert!(world.has().count() <= settings().capacity, "the capacity holds");
        let limited = |request: &RequestId| self.arrivals[request].route == LIMITED;
        let placed = self.workers.values().flat_map(World::has).filter(limited).count();
        assert!(placed <= 2, "the route's bound holds");
    }

    /// A call of a route that holds its loop leaves one worker without any other call of it.
    fn check_last_worker(&self, worker: WorkerId, route: RouteId) {
        let ready = || self.workers.iter().filter(|(_, world)| !world.retired);
        let has_none = |world: &World| !world.has().any(|request| self.arrivals[&request].route == route);
        let left = ready().any(|(&id, world)| id != worker && has_none(world));
        let known = route == BLOCKS;
        assert!(!known || ready().count() < 2 || left, "the last worker is kept free of what holds loops");
    }

    fn play(&mut self, step: &Move) {
        match *step {
            Move::Arrive { route, deadline } => self.arrive(ROUTES[route], deadline),
            Move::Ready => self.add_worker(),
            Move::Tick(passed) => self.tick(passed),
            Move::Leave(choice) => self.leave(choice),
            Move::Take(choice) => self.with_worker(choice, Self::take),
            Move::End(choice, held, computed) => {
                self.with_worker(choice, |model, worker| model.end(worker, held, computed));
            }
            Move::Gone(choice) => self.with_worker(choice, Self::lose),
            Move::Retire(choice) => self.with_worker(choice, |model, worker| {
                model.workers.get_mut(&worker).unwrap().retired = true;
                model.apply(Event::WorkerRetired(worker));
            }),
            Move::See(choice, held) => self.with_worker(choice, |model, worker| model.see(worker, held)),
        }
    }

    fn with_worker(&mut self, choice: Index, happens: impl FnOnce(&mut Self, WorkerId)) {
        let ids: Vec<_> = self.workers.keys().copied().collect();
        if !ids.is_empty() {
            happens(self, *choice.get(&ids));
        }
    }

    fn arrive(&mut self, route: RouteId, deadline: Option<u64>) {
        let request = RequestId(self.arrivals.len() as u32);
        let deadline = deadline.map(|after| milliseconds(self.now + after));
        let arrival = Arrival { request, route, bytes: 10, deadline };
        self.waiting.insert(request);
        self.arrivals.insert(request, arrival);
        self.apply(Event::Arrived(arrival));
    }

    fn tick(&mut self, passed: u64) {
        self.now += passed;
        for world in self.workers.values_mut() {
            world.stalled |= !world.offered.is_empty();
        }
        self.apply(Event::Tick);
    }

    fn add_worker(&mut self) {
        let worker = WorkerId(self.next_worker);
        self.next_worker += 1;
        self.workers.insert(worker, World::default());
        self.apply(Event::WorkerReady(worker));
    }

    fn take(&mut self, worker: WorkerId) {
        let world = self.workers.get_mut(&worker).unwrap();
        let Some((request, recalled)) = world.offered.pop_front() else { return };
        if !recalled {
            world.running.insert(request);
        }
        world.taken += 1;
        world.stalled &= !world.offered.is_empty();
        let total = world.taken;
        self.apply(Event::Taken { worker, total });
    }

    fn end(&mut self, worker: WorkerId, held: u64, computed: u64) {
        let Some(request) = self.workers.get_mut(&worker).unwrap().running.pop_first() else { return };
        self.finish(request);
        let (held, computed) = (milliseconds(held), milliseconds(computed));
        let usage = Usage {
            loop_longest: held,
            loop_total: held,
            thread_total: computed,
            thread_processor: computed,
            ..Usage::default()
        };
        self.apply(Event::Measured { request, usage });
        self.apply(Event::Ended(request));
        self.turn(worker, None);
    }

    /// The client leaves while its request waits.
    fn leave(&mut self, choice: Index) {
        let waiting: Vec<_> = self.waiting.iter().copied().collect();
        if !waiting.is_empty() {
            let request = *choice.get(&waiting);
            self.finish(request);
            self.apply(Event::Ended(request));
        }
    }

    fn see(&mut self, worker: WorkerId, held: u64) {
        let Some(&request) = self.workers[&worker].running.first() else { return };
        let elapsed = milliseconds(held);
        self.turn(worker, Some(Running { request, elapsed, processor: elapsed, excused: false }));
    }

    fn turn(&mut self, worker: WorkerId, step: Option<Running>) {
        let Some(world) = self.workers.get_mut(&worker) else { return };
        world.turns += 1;
        world.stalled = step.is_some_and(|step| step.elapsed >= settings().stall_after);
        let sight = Sight { turns: world.turns, step, threads: None };
        self.apply(Event::Seen { worker, sight });
    }

    fn lose(&mut self, worker: WorkerId) {
        let world = self.workers.remove(&worker).unwrap();
        self.apply(Event::WorkerGone(worker));
        for &request in &world.running {
            self.finish(request);
            self.apply(Event::Ended(request));
        }
        for request in world.standing() {
            self.waiting.insert(request);
            self.apply(Event::Recalled(request));
        }
    }

    fn check(&self) {
        assert_eq!(self.dispatcher.waiting(), self.waiting.len());
        let placed: usize = self.workers.values().map(|world| world.has().count()).sum();
        assert_eq!(self.dispatcher.live(), placed + self.waiting.len());
        for (&id, world) in &self.workers {
            assert_eq!(self.dispatcher.busy(id), world.has().count());
        }
        let idle = self.workers.values().filter(|world| world.is_idle()).count();
        for request in &self.waiting {
            let route = self.arrivals[request].route;
            // What holds its loop leaves one worker free.
            let needed = match self.dispatcher.class_of(route) {
                Class::HoldsLoop | Class::Unknown => 2,
                Class::Light | Class::WaitsOnThread | Class::Computes | Class::ComputesBriefly | Class::Trial => 1,
            };
            assert!(route == LIMITED || idle < needed, "waits while a worker of its lane is idle");
        }
    }

    /// Lets everything end.
    fn wind_up(&mut self) {
        self.add_worker();
        for _ in 0..1000 {
            self.now += 1;
            self.apply(Event::Tick);
            for number in 0..self.workers.len() {
                let worker = *self.workers.keys().nth(number).unwrap();
                self.take(worker);
                self.end(worker, 1, 0);
                self.turn(worker, None);
            }
        }
        let all: BTreeSet<_> = self.arrivals.keys().copied().collect();
        assert_eq!(self.ended, all, "each request ends");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_history_keeps_the_rule(moves in moves()) {
        let mut model = Model::new();
        for step in &moves {
            model.play(step);
            model.check();
        }
        model.wind_up();
        let records = std::mem::take(&mut model.records);
        let replayed = replay(settings(), records).expect("a replay decides the same");
        prop_assert_eq!(replayed.live(), 0);
    }
}

#[test]
fn a_record_is_the_same_after_being_written_as_json() {
    let mut model = Model::new();
    model.add_worker();
    model.play(&Move::Arrive { route: 0, deadline: Some(5) });
    for record in &model.records {
        let line = serde_json::to_string(record).unwrap();
        assert_eq!(*record, serde_json::from_str(&line).unwrap());
    }
}
