//! The state behind the lock of [`Workers`](crate::Workers): dispatcher, exchanges, and what waits to be written.
//!
//! Invariants, whenever the lock is free:
//! - every exchange that the dispatcher knows is in `exchanges`, and those placed are in the slots of their worker;
//! - while requests wait, every worker has been asked to tell of claims ([`Hub::settle`]), so that the queue cannot be
//!   forgotten.

use std::{collections::BTreeMap, io, sync::Arc, task::Waker, time::Duration};

use andon_dispatch::{Action, Arrival, Dispatcher, Event as Happened, Executor, Reason, Refusal, RequestId, WorkerId};
use andon_wire::{
    Flags, MAX_PAYLOAD, ToWorker,
    frame::{NO_SLOT, begin_frame, finish_frame},
    memory::SharedMemory,
    websocket::Close,
};
use parking_lot::Mutex;
use tokio::{
    net::UnixStream,
    sync::{
        mpsc::{Sender, UnboundedSender},
        watch,
    },
};

use crate::{
    QueueSettings, Request, StallReport, clock,
    exchange::{Cell, Event, Lost, Place},
    placement::Placement,
    routes::Routes,
    stalls::HeldUp,
    trace::Trace,
    worker_link::WorkerLink,
    workers::Notice,
};

pub(crate) struct Hub {
    pub(crate) dispatcher: Dispatcher,
    /// Its lock is an inner one.
    pub(crate) routes: Arc<Mutex<Routes>>,
    exchanges: Vec<Option<Arc<Cell>>>,
    unused: Vec<RequestId>,
    pub(crate) links: BTreeMap<WorkerId, WorkerLink>,
    next_worker: u32,
    /// When the watch looks at the workers next, by the monotonic clock.
    pub(crate) look_planned: Option<Duration>,
    actions: Vec<Action>,
    pub(crate) news: Vec<(WorkerId, u64)>,
    trace: Option<Trace>,
    pub(crate) reports: Sender<StallReport>,
    wanted: watch::Sender<usize>,
}

impl Hub {
    pub(crate) fn new(
        settings: QueueSettings,
        routes: Arc<Mutex<Routes>>,
        reports: Sender<StallReport>,
        wanted: watch::Sender<usize>,
    ) -> io::Result<Self> {
        let trace = settings.trace.map(|path| Trace::create(&path, &settings.dispatch)).transpose()?;
        Ok(Self {
            dispatcher: Dispatcher::new(settings.dispatch),
            routes,
            exchanges: Vec::new(),
            unused: Vec::new(),
            links: BTreeMap::new(),
            next_worker: 0,
            look_planned: None,
            actions: Vec::new(),
            news: Vec::new(),
            trace,
            reports,
            wanted,
        })
    }

    /// Requests that have not ended.
    pub(crate) fn live(&self) -> usize {
        self.dispatcher.live()
    }

    // Requests

    /// Takes in a request and places it if a worker is free.
    pub(crate) fn submit(&mut self, request: Request) -> Arc<Cell> {
        let (now, route, timeout) = (clock::now(), request.route, request.timeout);
        let bytes = request.payload.len() as u64;
        let number = self.unused.pop().unwrap_or_else(|| {
            self.exchanges.push(None);
            RequestId((self.exchanges.len() - 1) as u32)
        });
        let cell = Arc::new(Cell::new(number, now, request));
        self.exchanges[number.0 as usize] = Some(Arc::clone(&cell));
        self.observe();
        let deadline = timeout.map(|timeout| now + timeout);
        self.step(Happened::Arrived(Arrival { request: number, route, bytes, deadline }));
        cell
    }

    /// The exchange's owner is gone.
    pub(crate) fn leave(&mut self, cell: &Arc<Cell>) {
        let place = {
            let mut state = cell.state.lock();
            state.close_input();
            state.place
        };
        match place {
            Place::Nowhere => {}
            Place::Waiting => self.end(cell.request),
            Place::Worker { worker, slot, generation } => {
                let Some(link) = self.links.get_mut(&worker) else {
                    return;
                };
                if link.slots.recall(slot, generation).is_some() {
                    cell.state.lock().place = Place::Nowhere;
                    self.end(cell.request);
                    self.tell_if_idle(worker);
                } else {
                    link.put(ToWorker::Disconnect, Flags::NONE, slot, generation, &[]);
                }
            }
        }
    }

    /// Appends a frame about an exchange that its worker has.
    pub(crate) fn send(&mut self, cell: &Cell, kind: ToWorker, flags: Flags, payload: &[u8]) {
        let Place::Worker { worker, slot, generation } = cell.state.lock().place else {
            return;
        };
        if let Some(link) = self.links.get_mut(&worker) {
            let mut rest = payload;
            while let Some((piece, more)) = rest.split_at_checked(MAX_PAYLOAD).filter(|(_, more)| !more.is_empty()) {
                link.put(kind, flags.without(Flags::END), slot, generation, piece);
                rest = more;
            }
            link.put(kind, flags, slot, generation, rest);
        }
    }

    pub(crate) fn websocket_closed(&mut self, cell: &Cell, close: &Close) {
        let mut payload = Vec::new();
        close.put(&mut payload);
        self.send(cell, ToWorker::WebSocketDisconnect, Flags::END, &payload);
    }

    pub(crate) fn end(&mut self, request: RequestId) {
        self.forget(request);
        self.step(Happened::Ended(request));
    }

    fn forget(&mut self, request: RequestId) {
        if self.exchanges[request.0 as usize].take().is_some() {
            self.unused.push(request);
        }
    }

    // Workers

    pub(crate) fn attach(
        &mut self,
        number: u32,
        stream: Arc<UnixStream>,
        memory: SharedMemory,
        notices: UnboundedSender<Notice>,
    ) -> WorkerId {
        let id = WorkerId(self.next_worker);
        self.next_worker += 1;
        self.links.insert(id, WorkerLink::new(number, stream, memory, notices));
        id
    }

    pub(crate) fn retire(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get_mut(&worker) {
            link.retired = true;
            self.step(Happened::WorkerRetired(worker));
            self.tell_if_idle(worker);
        }
    }

    pub(crate) fn tell_if_idle(&mut self, worker: WorkerId) {
        let busy = self.dispatcher.busy(worker);
        if let Some(link) = self.links.get(&worker)
            && link.retired
            && busy == 0
        {
            link.notify(Notice::Idle);
        }
    }

    /// The worker reads nothing behind the order to end, so nothing is offered to it from now on, whether it was
    /// retired before or is not even ready.
    pub(crate) fn shutdown(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get_mut(&worker) {
            link.retired = true;
            link.put(ToWorker::Shutdown, Flags::NONE, NO_SLOT, 0, &[]);
            self.step(Happened::WorkerRetired(worker));
        }
    }

    /// Writes what waits for a worker. `WouldBlock`: there is more; else `waker` is woken when there is.
    pub(crate) fn write(&mut self, worker: WorkerId, waker: &Waker) -> io::Result<()> {
        self.links.get_mut(&worker).map_or(Ok(()), |link| link.outbox.write_or_wait(waker))
    }

    /// The worker's socket has ended: what it had not started goes to others, what it had is lost.
    pub(crate) fn detach(&mut self, worker: WorkerId) {
        self.report_stall(worker, false);
        let Some(mut link) = self.links.remove(&worker) else {
            return;
        };
        self.step(Happened::WorkerGone(worker));
        let mut recalled = Vec::new();
        for (slot, generation) in link.slots.occupied() {
            if let Some(cell) = link.slots.recall(slot, generation) {
                recalled.push(cell);
            } else if let Some(cell) = link.slots.release(slot, generation) {
                cell.push(Event::Lost(Lost::WorkerDied));
                self.end(cell.request);
            }
        }
        recalled.into_iter().for_each(|cell| self.requeue(&cell));
        link.notify(Notice::Closed);
    }

    fn requeue(&mut self, cell: &Cell) {
        cell.state.lock().place = Place::Waiting;
        self.step(Happened::Recalled(cell.request));
    }

    // Dispatch

    pub(crate) fn step(&mut self, event: Happened) {
        let now = clock::now();
        let mut actions = std::mem::take(&mut self.actions);
        if let Some(trace) = &mut self.trace {
            self.dispatcher.step(now, event.clone(), &mut actions);
            trace.write(now, event, &actions);
        } else {
            self.dispatcher.step(now, event, &mut actions);
        }
        for action in actions.drain(..) {
            self.carry_out(action);
        }
        // A recall that succeeded has made its own steps meanwhile; their buffer is dropped for this one.
        self.actions = actions;
    }

    pub(crate) fn flush_trace(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.flush();
        }
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Offer { request, worker, executor, reason } => self.offer(request, worker, executor, reason),
            Action::Recall(request, worker) => self.recall(request, worker),
            Action::Refuse(request, refusal) => {
                if let Some(cell) = self.exchanges[request.0 as usize].clone() {
                    self.forget(request);
                    cell.push(Event::Lost(lost(refusal)));
                }
            }
            Action::Resize(workers) => {
                self.wanted.send_replace(workers);
            }
        }
    }

    fn offer(&mut self, request: RequestId, worker: WorkerId, executor: Executor, reason: Reason) {
        let Some(cell) = self.exchanges[request.0 as usize].clone() else {
            return;
        };
        let lane = self.dispatcher.lane_of(cell.route);
        let Some(link) = self.links.get_mut(&worker) else {
            return;
        };
        let Some((slot, generation)) = link.slots.offer(Arc::clone(&cell)) else {
            tracing::error!(worker = link.number, "no free slot: dispatch counts more capacity than there is");
            return;
        };
        link.offered += 1;
        let placed = clock::now();
        let queued = placed.saturating_sub(cell.arrived);
        let mut state = cell.state.lock();
        state.place = Place::Worker { worker, slot, generation };
        state.placement = Some(Placement { worker: link.number, lane, executor, reason, queued, placed });
        let flags = Flags::NONE
            .with(Flags::END, state.body_complete)
            .with(Flags::EXPLAIN, cell.explain)
            .with(Flags::THREAD, executor == Executor::Thread);
        let out = link.outbox.queue.frames();
        let start = begin_frame(out, ToWorker::Request as u8, flags, slot, generation);
        out.extend_from_slice(&state.payload);
        let finished = finish_frame(out, start);
        debug_assert!(finished.is_ok(), "limits keep a head and its inline body below a frame's size");
        drop(state);
        link.outbox.count_request();
    }

    fn recall(&mut self, request: RequestId, worker: WorkerId) {
        let Some(cell) = self.exchanges[request.0 as usize].clone() else {
            return;
        };
        let Place::Worker { worker: holder, slot, generation } = cell.state.lock().place else {
            return;
        };
        let Some(link) = self.links.get_mut(&worker).filter(|_| holder == worker) else {
            return;
        };
        if link.slots.recall(slot, generation).is_some() {
            let now = clock::now();
            let placed = cell.state.lock().placement.map_or(now, |placement| placement.placed);
            let route = self.routes.lock().name(cell.route);
            let waited = now.saturating_sub(placed);
            link.returned.add(now, HeldUp { route, waited, placed_elsewhere: true });
            self.requeue(&cell);
            self.tell_if_idle(worker);
        }
    }
}

fn lost(refusal: Refusal) -> Lost {
    match refusal {
        Refusal::NoWorker => Lost::Unavailable,
        Refusal::Overloaded => Lost::Overloaded,
        Refusal::RouteFull => Lost::RouteFull,
        Refusal::TimedOut => Lost::TimedOut,
        Refusal::DeadlinePassed => Lost::DeadlinePassed,
    }
}
