//! The run: a heap of things to come, the dispatcher in the middle, workers on one side and clients on the other.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

use andon_dispatch::{
    Action, Arrival, Dispatcher, Event, Executor, Record, RequestId, Running, Settings, Sight, Usage, WorkerId,
};

use crate::{
    Arrivals, Load, Outcome, Outcomes, Random, Step,
    outcome::End,
    worker::{Execution, Item, Worker},
};

/// How often the front looks at its workers.
const LOOK: Duration = Duration::from_millis(5);
/// From the wish for one more worker until it is ready.
const START_UP: Duration = Duration::from_secs(1);
/// After which a client that was refused tries again.
const RETRY: Duration = Duration::from_millis(100);

/// What a run is made of, besides its loads.
#[derive(Debug, Clone)]
pub struct World {
    /// The dispatcher's.
    pub settings: Settings,
    /// At the start.
    pub workers: u32,
    /// When it ends; what is not answered then is left out of the outcomes.
    pub end: Duration,
    /// For all that is random.
    pub seed: u64,
    /// From the front to a worker, and back.
    pub wire: Duration,
}

impl World {
    /// With nothing between front and workers.
    pub fn new(settings: Settings, workers: u32, end: Duration, seed: u64) -> Self {
        Self { settings, workers, end, seed, wire: Duration::ZERO }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Happening {
    Arrives {
        load: usize,
    },
    /// An offer reaches the worker.
    Delivered(WorkerId, Item),
    /// The front sees how many offers the worker has taken up.
    Told(WorkerId, u64),
    /// The step that holds the loop ends.
    StepEnds(WorkerId),
    /// What a request has waited for is there.
    GoesOn(WorkerId, RequestId),
    /// The computing thread has computed.
    Computed(WorkerId),
    Look,
    Deadline,
    Up(WorkerId),
}

/// A request that has not ended.
#[derive(Debug)]
pub(crate) struct Request {
    load: usize,
    arrived: Duration,
    pub(crate) started: Duration,
    pub(crate) steps: std::vec::IntoIter<Step>,
    pub(crate) executor: Executor,
    /// The offer that stands; none when it waits or was started.
    pub(crate) offer: Option<u64>,
    pub(crate) usage: Usage,
}

/// A run of the model.
#[derive(Debug)]
pub struct Simulation {
    pub(crate) world: World,
    loads: Vec<Load>,
    random: Random,
    pub(crate) now: Duration,
    to_come: BinaryHeap<Reverse<(Duration, u64, Happening)>>,
    sequence: u64,
    dispatcher: Dispatcher,
    pub(crate) workers: BTreeMap<WorkerId, Worker>,
    next_worker: u32,
    requests: Vec<Option<Request>>,
    unused: Vec<RequestId>,
    looking: bool,
    deadline: Option<Duration>,
    outcomes: Outcomes,
    /// What the dispatcher was told and answered, if that is wanted.
    records: Option<Vec<Record>>,
}

impl Simulation {
    /// Runs the loads in that world.
    pub fn run(world: World, loads: Vec<Load>) -> Outcomes {
        Self::run_and(world, loads, None).outcomes
    }

    /// Runs them, and keeps a record of each step of the dispatcher.
    pub fn record(world: World, loads: Vec<Load>) -> Vec<Record> {
        Self::run_and(world, loads, Some(Vec::new())).records.unwrap_or_default()
    }

    fn run_and(world: World, loads: Vec<Load>, records: Option<Vec<Record>>) -> Self {
        let mut simulation = Self::new(world, loads, records);
        while let Some(Reverse((at, _, happening))) = simulation.to_come.pop()
            && at < simulation.world.end
        {
            simulation.now = at;
            simulation.happen(happening);
            simulation.plan_looks();
        }
        simulation
    }

    fn new(world: World, loads: Vec<Load>, records: Option<Vec<Record>>) -> Self {
        let mut simulation = Self {
            dispatcher: Dispatcher::new(world.settings.clone()),
            random: Random::new(world.seed),
            world,
            loads,
            now: Duration::ZERO,
            to_come: BinaryHeap::new(),
            sequence: 0,
            workers: BTreeMap::new(),
            next_worker: 0,
            requests: Vec::new(),
            unused: Vec::new(),
            looking: false,
            deadline: None,
            outcomes: Outcomes::default(),
            records,
        };
        for _ in 0..simulation.world.workers {
            let worker = simulation.new_worker();
            simulation.happen(Happening::Up(worker));
        }
        for index in 0..simulation.loads.len() {
            let load = &simulation.loads[index];
            let known = Event::RouteKnown { route: load.route, rule: load.rule, profile: load.profile };
            let first = load.arrivals.first(&mut simulation.random);
            simulation.step(known);
            first.into_iter().for_each(|at| simulation.plan(at, Happening::Arrives { load: index }));
        }
        simulation
    }

    fn new_worker(&mut self) -> WorkerId {
        let worker = WorkerId(self.next_worker);
        self.next_worker += 1;
        worker
    }

    pub(crate) fn plan(&mut self, at: Duration, happening: Happening) {
        self.sequence += 1;
        self.to_come.push(Reverse((at, self.sequence, happening)));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives { load } => self.arrive(load),
            Happening::Delivered(worker, item) => {
                if let Some(there) = self.workers.get_mut(&worker) {
                    there.inbox.push_back(item);
                }
                self.run_loop(worker);
            }
            Happening::Told(worker, total) => self.step(Event::Taken { worker, total }),
            Happening::StepEnds(worker) => self.step_ends(worker),
            Happening::GoesOn(worker, request) => self.go_on(worker, request),
            Happening::Computed(worker) => self.computed(worker),
            Happening::Look => self.look(),
            Happening::Deadline => {
                self.deadline = None;
                self.step(Event::Tick);
            }
            Happening::Up(worker) => {
                self.workers.insert(worker, Worker::default());
                self.step(Event::WorkerReady(worker));
            }
        }
    }

    // Clients

    fn arrive(&mut self, index: usize) {
        let load = &mut self.loads[index];
        let steps = (load.work)(&mut self.random).into_iter();
        let gap = load.arrivals.gap(&mut self.random);
        let route = load.route;
        if let Some(gap) = gap {
            self.plan(self.now + gap, Happening::Arrives { load: index });
        }
        let request = self.unused.pop().unwrap_or_else(|| {
            self.requests.push(None);
            RequestId(self.requests.len() as u32 - 1)
        });
        let (arrived, started, executor) = (self.now, Duration::ZERO, Executor::Loop);
        let usage = Usage::default();
        self.requests[request.0 as usize] =
            Some(Request { load: index, arrived, started, steps, executor, offer: None, usage });
        self.step(Event::Arrived(Arrival { request, route, bytes: 1000, deadline: None }));
    }

    pub(crate) fn end(&mut self, request: RequestId, end: impl FnOnce(&Request) -> End) {
        let Some(ended) = self.requests[request.0 as usize].take() else { return };
        self.unused.push(request);
        let load = &self.loads[ended.load];
        let end = end(&ended);
        let outcome = Outcome { route: load.route, arrived: ended.arrived, ended: self.now, end };
        self.outcomes.list.push(outcome);
        if matches!(load.arrivals, Arrivals::Closed(_)) {
            let pause = if matches!(end, End::Refused(_)) { RETRY } else { Duration::ZERO };
            self.plan(self.now + pause, Happening::Arrives { load: ended.load });
        }
    }

    // The front

    pub(crate) fn step(&mut self, event: Event) {
        let mut actions = Vec::new();
        let told = self.records.is_some().then(|| event.clone());
        self.dispatcher.step(self.now, event, &mut actions);
        if let (Some(records), Some(event)) = (&mut self.records, told) {
            records.push(Record { now: self.now, event, actions: actions.clone() });
        }
        for action in actions {
            match action {
                Action::Offer { request, worker, executor, .. } => self.offer(request, worker, executor),
                Action::Recall(request, _) => {
                    let waits = self.request(request).and_then(|request| request.offer.take()).is_some();
                    if waits {
                        self.outcomes.recalls += 1;
                        self.step(Event::Recalled(request));
                    }
                }
                Action::Refuse(request, refusal) => self.end(request, |_| End::Refused(refusal)),
                Action::Resize(wanted) => self.resize(wanted),
            }
        }
    }

    pub(crate) fn request(&mut self, request: RequestId) -> Option<&mut Request> {
        self.requests[request.0 as usize].as_mut()
    }

    fn offer(&mut self, request: RequestId, worker: WorkerId, executor: Executor) {
        self.sequence += 1;
        let number = self.sequence;
        let Some(offered) = self.request(request) else { return };
        (offered.offer, offered.executor) = (Some(number), executor);
        self.plan(self.now + self.world.wire, Happening::Delivered(worker, Item::Offer(request, number)));
    }

    fn plan_looks(&mut self) {
        if !self.looking && self.dispatcher.needs_ticks() {
            self.looking = true;
            self.plan(self.now + LOOK, Happening::Look);
        }
        if let Some(at) = self.dispatcher.next_deadline()
            && self.deadline.is_none_or(|planned| at < planned)
        {
            self.deadline = Some(at);
            self.plan(at.max(self.now), Happening::Deadline);
        }
    }

    fn look(&mut self) {
        self.looking = false;
        let now = self.now;
        let seen: Vec<_> = self.workers.iter().map(|(&id, worker)| (id, sight(worker, now))).collect();
        for (worker, sight) in seen {
            self.step(Event::Seen { worker, sight });
        }
        self.step(Event::Tick);
    }

    fn resize(&mut self, wanted: usize) {
        let up: Vec<_> = self.workers.iter().filter(|(_, worker)| !worker.retired).map(|(&id, _)| id).collect();
        if wanted > up.len() {
            let worker = self.new_worker();
            self.plan(self.now + START_UP, Happening::Up(worker));
        } else if let Some(&last) = up.last().filter(|_| wanted < up.len()) {
            self.workers.entry(last).or_default().retired = true;
            self.step(Event::WorkerRetired(last));
            self.remove_if_done(last);
        }
    }

    pub(crate) fn remove_if_done(&mut self, id: WorkerId) {
        if self.workers.get(&id).is_some_and(Worker::is_done) {
            self.workers.remove(&id);
            self.step(Event::WorkerGone(id));
        }
    }
}

fn sight(worker: &Worker, now: Duration) -> Sight {
    let running = |run: Execution| {
        let elapsed = now.saturating_sub(run.since);
        let processor = if run.computes { elapsed } else { Duration::ZERO };
        Running { request: run.request, elapsed, processor, excused: false }
    };
    Sight { turns: worker.turns, step: worker.running.map(running), threads: worker.computing.map(running) }
}
