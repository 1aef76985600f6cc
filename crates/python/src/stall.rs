//! Reports of stalls: from the watch thread, at first without the stack if that cannot be had; from the errands' thread
//! with it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use andon_wire::{
    Flags, FromWorker,
    frame::{NO_SLOT, begin_frame, finish_frame},
    stall::{Place, StackFrame, Stall, StallKind},
    state::Step,
};
use pyo3::prelude::*;

use crate::{clock, serving::Serving, threads::Seat};

/// Which thread stalls.
#[derive(Clone)]
pub(crate) enum Culprit {
    EventLoop,
    Thread(Arc<Seat>),
}

/// A stall of which the stack is wanted.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) culprit: Culprit,
    pub(crate) kind: StallKind,
    /// Which step; that of an event loop which runs for no exchange has the slot `NO_SLOT`.
    pub(crate) step: Step,
    pub(crate) processor: u64,
    pub(crate) system_call: String,
    /// Set once the front has been told with the stack.
    pub(crate) told: Arc<AtomicBool>,
}

impl Order {
    /// Tells the front of the stall without a stack.
    pub(crate) fn tell(&self, serving: &Serving) {
        self.send(serving, None);
    }

    /// Takes the stack and tells the front. If the step is over, the stack is another one's: the front is told without.
    pub(crate) fn carry_out(&self, py: Python<'_>, serving: &Serving) -> PyResult<()> {
        let Some(identifier) = self.identifier(serving).filter(|_| self.lasts(serving)) else {
            if !self.told.swap(true, Ordering::Relaxed) {
                self.tell(serving);
            }
            return Ok(());
        };
        let frames: Vec<(bool, u32, String, String)> = serving.take_stack(py).call1((identifier,))?.extract()?;
        let frames = frames.into_iter().map(|(own, line, file, function)| StackFrame { own, line, file, function });
        self.send(serving, Some(frames.collect()));
        self.told.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn lasts(&self, serving: &Serving) -> bool {
        match &self.culprit {
            Culprit::EventLoop if self.step.slot == NO_SLOT => serving.step().is_none(),
            Culprit::EventLoop => serving.step() == Some(self.step),
            Culprit::Thread(seat) => seat.running().is_some_and(|running| running.step == self.step),
        }
    }

    fn identifier(&self, serving: &Serving) -> Option<u64> {
        match &self.culprit {
            Culprit::EventLoop => Some(serving.loop_thread()),
            Culprit::Thread(seat) => seat.identifier(),
        }
    }

    fn send(&self, serving: &Serving, frames: Option<Vec<StackFrame>>) {
        let elapsed = clock::monotonic().saturating_sub(self.step.since);
        let stall = Stall {
            kind: self.kind,
            place: match self.culprit {
                Culprit::EventLoop => Place::EventLoop,
                Culprit::Thread(_) => Place::Thread,
            },
            since: Duration::from_nanos(self.step.since),
            elapsed: Duration::from_nanos(elapsed),
            processor: Duration::from_nanos(self.processor),
            system_call: self.system_call.clone(),
            frames,
            cut: false,
        };
        serving.put_now(|out| {
            let Step { slot, generation, .. } = self.step;
            let out = out.frames();
            let start = begin_frame(out, FromWorker::Stall as u8, Flags::NONE, slot, generation);
            if stall.put(out).and_then(|()| finish_frame(out, start)).is_err() {
                out.truncate(start);
            }
        });
    }
}
