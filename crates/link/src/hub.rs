//! The state behind the lock of [`Workers`](crate::Workers): dispatcher, exchanges, and what waits to be written.
//!
//! Invariants, whenever the lock is free:
//! - every exchange that the dispatcher knows is in `exchanges`, and those placed are in the slots of their worker;
//! - while requests wait, every worker has been asked to tell of claims ([`Hub::settle`]), so that the queue cannot be
//!   forgotten.

use std::{collections::BTreeMap, io, sync::Arc, task::Waker, time::Instant};

use andon_dispatch::{Action, Dispatcher, Event as Happened, Refusal, RequestId, WorkerId};
use andon_wire::{
    Flags, Frame, FromWorker, MAX_PAYLOAD, ToWorker, WireError,
    frame::{NO_SLOT, begin_frame, finish_frame, parse_credit, put_frame},
    memory::SharedMemory,
    websocket::Close,
};
use tokio::{net::UnixStream, sync::mpsc::UnboundedSender};

use crate::{
    exchange::{Cell, Event, Lost, Place},
    outbox::Outbox,
    slots::Slots,
    workers::Notice,
};

/// The front's end of one worker.
pub(crate) struct Link {
    number: u32,
    memory: Arc<SharedMemory>,
    slots: Slots,
    outbox: Outbox,
    notices: UnboundedSender<Notice>,
    retired: bool,
    /// Offers taken up, as last seen.
    taken: u64,
}

impl Link {
    fn new(number: u32, stream: Arc<UnixStream>, memory: SharedMemory, notices: UnboundedSender<Notice>) -> Self {
        let memory = Arc::new(memory);
        let slots = Slots::new(Arc::clone(&memory));
        Self { number, memory, slots, outbox: Outbox::new(stream), notices, retired: false, taken: 0 }
    }

    fn put(&mut self, kind: ToWorker, flags: Flags, slot: u32, generation: u32, payload: &[u8]) {
        put_frame(&mut self.outbox.bytes, kind as u8, flags, slot, generation, payload);
        self.outbox.wake();
    }

    /// How many offers were taken up, if that has changed.
    fn news(&mut self) -> Option<u64> {
        let taken = self.memory.executor().taken();
        let changed = taken != self.taken;
        self.taken = taken;
        changed.then_some(taken)
    }

    fn notify(&self, notice: Notice) {
        // The supervisor may have stopped listening: it is ending.
        let _ = self.notices.send(notice);
    }
}

pub(crate) struct Hub {
    dispatcher: Dispatcher,
    exchanges: Vec<Option<Arc<Cell>>>,
    unused: Vec<RequestId>,
    links: BTreeMap<WorkerId, Link>,
    next_worker: u32,
    epoch: Instant,
    ticking: bool,
    actions: Vec<Action>,
    news: Vec<(WorkerId, u64)>,
}

impl Hub {
    pub(crate) fn new(dispatcher: Dispatcher) -> Self {
        Self {
            dispatcher,
            exchanges: Vec::new(),
            unused: Vec::new(),
            links: BTreeMap::new(),
            next_worker: 0,
            epoch: Instant::now(),
            ticking: false,
            actions: Vec::new(),
            news: Vec::new(),
        }
    }

    /// Requests that have not ended.
    pub(crate) fn live(&self) -> usize {
        self.dispatcher.live()
    }

    // Requests

    /// Takes in a request and places it if a worker is free.
    pub(crate) fn submit(&mut self, payload: Vec<u8>, body_complete: bool) -> Arc<Cell> {
        let request = self.unused.pop().unwrap_or_else(|| {
            self.exchanges.push(None);
            RequestId((self.exchanges.len() - 1) as u32)
        });
        let cell = Arc::new(Cell::new(request, payload, body_complete));
        self.exchanges[request.0 as usize] = Some(Arc::clone(&cell));
        self.observe();
        self.step(Happened::Arrived(request));
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

    fn end(&mut self, request: RequestId) {
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
        self.links.insert(id, Link::new(number, stream, memory, notices));
        id
    }

    pub(crate) fn retire(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get_mut(&worker) {
            link.retired = true;
            self.step(Happened::WorkerRetired(worker));
            self.tell_if_idle(worker);
        }
    }

    fn tell_if_idle(&mut self, worker: WorkerId) {
        let busy = self.dispatcher.busy(worker);
        if let Some(link) = self.links.get(&worker)
            && link.retired
            && busy == 0
        {
            link.notify(Notice::Idle);
        }
    }

    pub(crate) fn shutdown(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get_mut(&worker) {
            link.put(ToWorker::Shutdown, Flags::NONE, NO_SLOT, 0, &[]);
        }
    }

    /// Writes what waits for a worker. `WouldBlock`: there is more; else `waker` is woken when there is.
    pub(crate) fn write(&mut self, worker: WorkerId, waker: &Waker) -> io::Result<()> {
        self.links.get_mut(&worker).map_or(Ok(()), |link| link.outbox.write_or_wait(waker))
    }

    /// The worker's socket has ended: what it had not started goes to others, what it had is lost.
    pub(crate) fn detach(&mut self, worker: WorkerId) {
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

    // Frames

    /// Takes in one frame of a worker.
    pub(crate) fn receive(&mut self, worker: WorkerId, frame: Frame) -> Result<(), WireError> {
        let kind = FromWorker::try_from(frame.header.kind)?;
        match kind {
            FromWorker::Ready => self.ready(worker),
            FromWorker::Failed => self.failed(worker, &frame.payload)?,
            FromWorker::Claimed => {}
            FromWorker::Finished => self.finished(worker, &frame),
            _ => self.deliver(worker, kind, frame)?,
        }
        Ok(())
    }

    fn ready(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get(&worker) {
            link.notify(Notice::Ready);
            self.step(Happened::WorkerReady(worker));
        }
    }

    fn failed(&mut self, worker: WorkerId, payload: &[u8]) -> Result<(), WireError> {
        let (&failure, text) = payload.split_first().ok_or(WireError::Truncated)?;
        if let Some(link) = self.links.get(&worker) {
            let text = String::from_utf8_lossy(text).into_owned();
            link.notify(Notice::Failed { failure: failure.try_into()?, text });
        }
        Ok(())
    }

    fn finished(&mut self, worker: WorkerId, frame: &Frame) {
        let link = self.links.get_mut(&worker);
        if let Some(cell) = link.and_then(|link| link.slots.release(frame.header.slot, frame.header.generation)) {
            cell.push(Event::Finished { failed: frame.header.flags.contains(Flags::FAILED) });
            self.end(cell.request);
            self.tell_if_idle(worker);
        }
    }

    fn deliver(&mut self, worker: WorkerId, kind: FromWorker, frame: Frame) -> Result<(), WireError> {
        let Frame { header, payload } = frame;
        let link = self.links.get(&worker);
        let Some(cell) = link.and_then(|link| link.slots.get(header.slot, header.generation)) else {
            return Ok(());
        };
        let end = header.flags.contains(Flags::END);
        cell.push(match kind {
            FromWorker::RequestCredit => {
                cell.add_credit(parse_credit(&payload)?);
                return Ok(());
            }
            FromWorker::Response => Event::Response { payload, end },
            FromWorker::ResponseBody => Event::Body { bytes: payload, end },
            FromWorker::Informational => Event::Informational(payload),
            FromWorker::File => Event::File(payload),
            FromWorker::WebSocketAccept => Event::WebSocketAccept(payload),
            FromWorker::WebSocketMessage => {
                Event::WebSocketMessage { text: header.flags.contains(Flags::TEXT), end, bytes: payload }
            }
            FromWorker::WebSocketClose => Event::WebSocketClose(Close::parse(&payload)?),
            FromWorker::Ready | FromWorker::Failed | FromWorker::Finished | FromWorker::Claimed => {
                return Err(WireError::Invalid("frame"));
            }
        });
        Ok(())
    }

    // Dispatch

    /// Ends each use of the hub: sees what workers have taken up meanwhile, and makes sure that a claim cannot be
    /// missed while requests wait. True if the ticker must be woken.
    pub(crate) fn settle(&mut self) -> bool {
        // A worker that looked for the wish just before it was set has counted its claim before that, so reading the
        // counts once more after asking closes the race.
        while self.dispatcher.waiting() > 0 {
            for link in self.links.values() {
                link.memory.executor().want_notice();
            }
            if !self.observe() {
                break;
            }
        }
        let wake_ticker = !self.ticking && self.dispatcher.has_offers();
        self.ticking |= wake_ticker;
        wake_ticker
    }

    /// Time has passed: takes back what stalled workers hold. Returns whether time still matters.
    pub(crate) fn tick(&mut self) -> bool {
        self.observe();
        self.step(Happened::Tick);
        self.ticking = self.dispatcher.has_offers();
        self.ticking
    }

    /// Reads from shared memory what the workers have taken up. True if it was more than before.
    pub(crate) fn observe(&mut self) -> bool {
        let mut news = std::mem::take(&mut self.news);
        news.extend(self.links.iter_mut().filter_map(|(&worker, link)| link.news().map(|total| (worker, total))));
        let any = !news.is_empty();
        for (worker, total) in news.drain(..) {
            self.step(Happened::Taken { worker, total });
        }
        self.news = news;
        any
    }

    fn step(&mut self, event: Happened) {
        let now = self.epoch.elapsed();
        let mut actions = std::mem::take(&mut self.actions);
        self.dispatcher.step(now, event, &mut actions);
        for action in actions.drain(..) {
            self.carry_out(action);
        }
        // A recall that succeeded has made its own steps meanwhile; their buffer is dropped for this one.
        self.actions = actions;
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Offer(request, worker) => self.offer(request, worker),
            Action::Recall(request, worker) => self.recall(request, worker),
            Action::Refuse(request, refusal) => {
                if let Some(cell) = self.exchanges[request.0 as usize].clone() {
                    self.forget(request);
                    cell.push(Event::Lost(match refusal {
                        Refusal::NoWorker => Lost::Unavailable,
                        Refusal::Overloaded => Lost::Overloaded,
                    }));
                }
            }
        }
    }

    fn offer(&mut self, request: RequestId, worker: WorkerId) {
        let (Some(cell), Some(link)) = (self.exchanges[request.0 as usize].as_ref(), self.links.get_mut(&worker))
        else {
            return;
        };
        let Some((slot, generation)) = link.slots.offer(Arc::clone(cell)) else {
            tracing::error!(worker = link.number, "no free slot: dispatch counts more capacity than there is");
            return;
        };
        let mut state = cell.state.lock();
        state.place = Place::Worker { worker, slot, generation };
        let flags = Flags::NONE.with(Flags::END, state.body_complete);
        let out = &mut link.outbox.bytes;
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
        let link = self.links.get_mut(&worker).filter(|_| holder == worker);
        if link.is_some_and(|link| link.slots.recall(slot, generation).is_some()) {
            self.requeue(&cell);
        }
    }
}
