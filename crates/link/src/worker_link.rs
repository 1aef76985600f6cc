//! The front's end of one worker: its slots, its shared memory, and what waits to be written to it.

use std::sync::Arc;

use andon_dispatch::{RequestId, RouteId, Running, Sight};
use andon_wire::{
    Flags, ToWorker, WireError,
    frame::put_frame,
    memory::SharedMemory,
    state::{Seen, Step},
};
use tokio::{net::UnixStream, sync::mpsc::UnboundedSender};

use crate::{
    clock,
    outbox::Outbox,
    slots::Slots,
    stalls::{Returned, StallName, Stalled},
    workers::Notice,
};

pub(crate) struct WorkerLink {
    pub(crate) number: u32,
    pub(crate) memory: Arc<SharedMemory>,
    pub(crate) slots: Slots,
    pub(crate) outbox: Outbox,
    /// It was told to end, or is to be given nothing more.
    pub(crate) retired: bool,
    /// It has told how its start went.
    started: bool,
    /// Offers made to it, those taken back included.
    pub(crate) offered: u64,
    pub(crate) stalled: Option<Stalled>,
    /// The last one that was reported.
    pub(crate) told_stall: Option<StallName>,
    pub(crate) returned: Returned,
    notices: UnboundedSender<Notice>,
    /// Offers taken up, as last seen.
    taken: u64,
    /// The step that was seen last, and how often it was another one: a loop that never comes round to the wire, since
    /// nothing is sent to it, still turns.
    step: Option<Step>,
    steps: u64,
    /// Routes of which it has ended a request.
    experienced: Vec<bool>,
}

impl WorkerLink {
    pub(crate) fn new(
        number: u32,
        stream: Arc<UnixStream>,
        memory: SharedMemory,
        notices: UnboundedSender<Notice>,
    ) -> Self {
        let memory = Arc::new(memory);
        Self {
            number,
            slots: Slots::new(Arc::clone(&memory)),
            memory,
            outbox: Outbox::new(stream),
            retired: false,
            started: false,
            offered: 0,
            stalled: None,
            told_stall: None,
            returned: Returned::default(),
            notices,
            taken: 0,
            step: None,
            steps: 0,
            experienced: Vec::new(),
        }
    }

    pub(crate) fn put(&mut self, kind: ToWorker, flags: Flags, slot: u32, generation: u32, payload: &[u8]) {
        put_frame(self.outbox.queue.frames(), kind as u8, flags, slot, generation, payload);
        self.outbox.wake();
    }

    pub(crate) fn notify(&self, notice: Notice) {
        // The supervisor may have stopped listening: it is ending.
        let _ = self.notices.send(notice);
    }

    /// The worker says how its start went, which it may do once.
    pub(crate) fn end_start(&mut self) -> Result<(), WireError> {
        if std::mem::replace(&mut self.started, true) {
            return Err(WireError::Invalid("second end of a start"));
        }
        Ok(())
    }

    /// How many offers were taken up, if that is more than before. Never more than were made: a worker that counts on
    /// and on would otherwise hold up whoever reads until nothing changes.
    pub(crate) fn news(&mut self) -> Option<u64> {
        let taken = self.memory.executor().taken().min(self.offered);
        let more = taken > self.taken;
        self.taken = self.taken.max(taken);
        more.then_some(taken)
    }

    /// Whether a request is the first of its route that ends in this worker.
    pub(crate) fn is_first(&mut self, route: RouteId) -> bool {
        let index = route.0 as usize;
        if self.experienced.len() <= index {
            self.experienced.resize(index + 1, false);
        }
        !std::mem::replace(&mut self.experienced[index], true)
    }

    /// What the state words show now.
    pub(crate) fn sight(&mut self) -> Sight {
        let state = self.memory.executor();
        let step = state.step();
        if step != self.step {
            self.step = step;
            self.steps += 1;
        }
        let watched = state.sight().unwrap_or_default();
        // What the watch thread has seen may be an older step.
        let seen =
            step.map(|step| watched.step.filter(|seen| seen.step == step).unwrap_or(Seen { step, ..Seen::default() }));
        Sight {
            turns: state.turns().wrapping_add(self.steps),
            step: seen.and_then(|seen| self.running(seen)),
            threads: watched.thread.and_then(|seen| self.running(seen)),
        }
    }

    fn running(&self, seen: Seen) -> Option<Running> {
        let since = std::time::Duration::from_nanos(seen.step.since);
        Some(Running {
            request: self.request(seen.step.slot, seen.step.generation)?,
            elapsed: clock::now().saturating_sub(since),
            processor: std::time::Duration::from_nanos(seen.processor),
            excused: seen.excuses.any(),
        })
    }

    pub(crate) fn request(&self, slot: u32, generation: u32) -> Option<RequestId> {
        self.slots.get(slot, generation).map(|cell| cell.request)
    }
}
