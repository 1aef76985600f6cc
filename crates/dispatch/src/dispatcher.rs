//! The one queue and the choice of a worker.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    Action, Event, Refusal, RequestId, Settings, WorkerId,
    worker::{Phase, Worker},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placement {
    Absent,
    /// In the queue, under the ticket that its queue entry bears.
    Queued(i64),
    Placed(WorkerId),
}

/// The state of dispatch. Time is given to it, as the duration since any fixed moment.
#[derive(Debug)]
pub struct Dispatcher {
    settings: Settings,
    workers: BTreeMap<WorkerId, Worker>,
    placements: Vec<Placement>,
    /// Entries whose ticket is no longer that of their request are left over and skipped.
    queue: VecDeque<(RequestId, i64)>,
    waiting: usize,
    live: usize,
    next_ticket: i64,
    first_ticket: i64,
}

impl Dispatcher {
    /// No worker, no request.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            workers: BTreeMap::new(),
            placements: Vec::new(),
            queue: VecDeque::new(),
            waiting: 0,
            live: 0,
            next_ticket: 0,
            first_ticket: -1,
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
        self.workers.get(&worker).map_or(0, |worker| worker.busy)
    }

    /// Whether some worker has not taken up all that it was offered: time matters then.
    pub fn has_offers(&self) -> bool {
        self.workers.values().any(Worker::has_offers)
    }

    /// Takes in what happened at `now` and appends what is to be done to `actions`.
    pub fn step(&mut self, now: Duration, event: Event, actions: &mut Vec<Action>) {
        match event {
            Event::WorkerReady(worker) => {
                self.workers.insert(worker, Worker::new());
            }
            Event::WorkerRetired(worker) => {
                if let Some(worker) = self.workers.get_mut(&worker) {
                    worker.phase = Phase::Retired;
                }
            }
            Event::WorkerGone(worker) => {
                self.workers.remove(&worker);
            }
            Event::Taken { worker, total } => {
                if let Some(worker) = self.workers.get_mut(&worker) {
                    worker.take(total);
                }
            }
            Event::Arrived(request) => self.arrive(request, actions),
            Event::Recalled(request) => self.requeue(request),
            Event::Ended(request) => self.end(request),
            Event::Tick => self.recall_from_stalled(now, actions),
        }
        self.place_waiting(now, actions);
    }

    fn arrive(&mut self, request: RequestId, actions: &mut Vec<Action>) {
        if self.settings.concurrency.is_some_and(|limit| self.live >= limit) {
            actions.push(Action::Refuse(request, Refusal::Overloaded));
            return;
        }
        self.live += 1;
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.set_placement(request, Placement::Queued(ticket));
        self.queue.push_back((request, ticket));
        self.waiting += 1;
    }

    /// What was taken back has waited longest: it goes to the head of the queue.
    fn requeue(&mut self, request: RequestId) {
        let Placement::Placed(worker) = self.placement(request) else {
            return;
        };
        self.leave_worker(worker);
        let ticket = self.first_ticket;
        self.first_ticket -= 1;
        self.set_placement(request, Placement::Queued(ticket));
        self.queue.push_front((request, ticket));
        self.waiting += 1;
    }

    fn end(&mut self, request: RequestId) {
        match self.placement(request) {
            Placement::Absent => return,
            Placement::Queued(_) => self.waiting -= 1,
            Placement::Placed(worker) => self.leave_worker(worker),
        }
        self.live -= 1;
        self.set_placement(request, Placement::Absent);
    }

    fn leave_worker(&mut self, worker: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.busy -= 1;
        }
    }

    fn recall_from_stalled(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for (&id, worker) in &mut self.workers {
            actions.extend(worker.stalled_offers(now, &self.settings).map(|request| Action::Recall(request, id)));
        }
    }

    fn place_waiting(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let nobody = !self.workers.values().any(|worker| worker.phase == Phase::Ready);
        while let Some(&(request, ticket)) = self.queue.front() {
            if self.placement(request) != Placement::Queued(ticket) {
                self.queue.pop_front();
                continue;
            }
            if nobody {
                self.queue.pop_front();
                self.end(request);
                actions.push(Action::Refuse(request, Refusal::NoWorker));
                continue;
            }
            let Some(worker) = self.least_busy() else {
                return;
            };
            self.queue.pop_front();
            self.waiting -= 1;
            self.set_placement(request, Placement::Placed(worker));
            if let Some(worker) = self.workers.get_mut(&worker) {
                worker.offer(request, now);
            }
            actions.push(Action::Offer(request, worker));
        }
    }

    fn least_busy(&self) -> Option<WorkerId> {
        let free = self.workers.iter().filter(|(_, worker)| worker.is_free(&self.settings));
        free.min_by_key(|(id, worker)| (worker.busy, **id)).map(|(&id, _)| id)
    }

    fn placement(&self, request: RequestId) -> Placement {
        self.placements.get(request.0 as usize).copied().unwrap_or(Placement::Absent)
    }

    fn set_placement(&mut self, request: RequestId, placement: Placement) {
        let index = request.0 as usize;
        if self.placements.len() <= index {
            self.placements.resize(index + 1, Placement::Absent);
        }
        self.placements[index] = placement;
    }
}
