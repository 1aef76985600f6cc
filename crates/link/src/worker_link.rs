//! The front's end of one worker: its slots, its shared memory, and what waits to be written to it.

use std::sync::Arc;

use andon_dispatch::{RequestId, RouteId, Running, Sight};
use andon_wire::{
    Flags, ToWorker,
    frame::put_frame,
    memory::SharedMemory,
    state::{Seen, Step},
};
use tokio::{net::UnixStream, sync::mpsc::UnboundedSender};

use crate::{
    clock,
    outbox::Outbox,
    slots::Slots,
    stalls::{Returned, Stalled},
    workers::Notice,
};

pub(crate) struct WorkerLink {
    pub(crate) number: u32,
    pub(crate) memory: Arc<SharedMemory>,
    pub(crate) slots: Slots,
    pub(crate) outbox: Outbox,
    pub(crate) retired: bool,
    pub(crate) stalled: Option<Stalled>,
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
            stalled: None,
            returned: Returned::default(),
            notices,
            taken: 0,
            step: None,
            steps: 0,
            experienced: Vec::new(),
        }
    }

    pub(crate) fn put(&mut self, kind: ToWorker, flags: Flags, slot: u32, generation: u32, payload: &[u8]) {
        put_frame(&mut self.outbox.bytes, kind as u8, flags, slot, generation, payload);
        self.outbox.wake();
    }

    pub(crate) fn notify(&self, notice: Notice) {
        // The supervisor may have stopped listening: it is ending.
        let _ = self.notices.send(notice);
    }

    /// How many offers were taken up, if that has changed.
    pub(crate) fn news(&mut self) -> Option<u64> {
        let taken = self.memory.executor().taken();
        let changed = taken != self.taken;
        self.taken = taken;
        changed.then_some(taken)
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
            turns: state.turns() + self.steps,
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
