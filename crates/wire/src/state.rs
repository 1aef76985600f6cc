//! State words: what a worker is doing, written by it with plain stores and read by the front.
//!
//! The front can read them at any time, also while the worker holds its GIL and answers nothing. Who writes what:
//! - the event loop's thread: the step in execution, turns, offers taken up. Each field is whole by itself; fields may
//!   be from different moments.
//! - the watch thread, which never takes the GIL: CPU times ([`crate::state::Sight`]), all from one moment.
//! - the front: the wish to be told of claims.
//!
//! Each writer has cache lines of its own.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::{Excuses, watched::Watched};

/// No slot is in execution.
pub(crate) const IDLE: u64 = u64::MAX;

/// The step in execution on the event loop, or a call on a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Step {
    /// Slot of the exchange that it belongs to.
    pub slot: u32,
    /// Generation of that slot.
    pub generation: u32,
    /// When it began, in nanoseconds of the machine's monotonic clock.
    pub since: u64,
}

impl Step {
    pub(crate) fn name(self) -> u64 {
        (u64::from(self.generation) << 32) | u64::from(self.slot)
    }

    pub(crate) fn from_words(name: u64, since: u64) -> Option<Self> {
        (name != IDLE).then_some(Self { slot: name as u32, generation: (name >> 32) as u32, since })
    }
}

/// What the watch thread has seen of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Which step.
    pub step: Step,
    /// CPU time of its thread in it, in nanoseconds, when it was looked at.
    pub processor: u64,
    /// Why its length is not its own fault.
    pub excuses: Excuses,
}

/// What the watch thread saw when it looked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sight {
    /// The step on the event loop.
    pub step: Option<Seen>,
    /// Of the calls on threads that one which uses the processor most.
    pub thread: Option<Seen>,
    /// Calls on threads, running and waiting.
    pub calls: u32,
    /// Of these, the calls that no thread has begun.
    pub waiting: u32,
}

/// The state words of one worker.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct ExecutorState {
    /// `generation << 32 | slot` of the step in execution, or [`IDLE`].
    step: AtomicU64,
    /// When the step began, in nanoseconds of the monotonic clock.
    since: AtomicU64,
    /// How often the loop has read the wire.
    turns: AtomicU64,
    /// How many offers were taken up (claimed, or found recalled) since the worker began.
    taken: AtomicU64,
    wanted: NoticeWanted,
    watched: Watched,
}

#[derive(Debug)]
#[repr(C, align(64))]
struct NoticeWanted(AtomicU32);

impl ExecutorState {
    /// Worker: a step of the exchange in `slot` begins.
    pub fn begin_step(&self, slot: u32, generation: u32, now: u64) {
        self.since.store(now, Ordering::Relaxed);
        self.step.store(Step { slot, generation, since: now }.name(), Ordering::Release);
    }

    /// Worker: the step has ended; the executor is parked or does something that belongs to no exchange.
    pub fn end_step(&self) {
        self.step.store(IDLE, Ordering::Release);
    }

    /// Worker: the loop has come round to the wire once more.
    pub fn count_turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Worker: one more offer was taken up.
    pub fn count_taken(&self) {
        self.taken.fetch_add(1, Ordering::SeqCst);
    }

    /// Worker: whether the front waits to be told of claims; asking clears the wish.
    pub fn take_notice_wanted(&self) -> bool {
        self.wanted.0.load(Ordering::SeqCst) != 0 && self.wanted.0.swap(0, Ordering::SeqCst) != 0
    }

    /// Worker's watch thread: publishes what it saw. Only one thread may do so.
    pub fn publish(&self, sight: &Sight) {
        self.watched.publish(sight);
    }

    /// Front: asks for a [`crate::FromWorker::Claimed`] frame. The front must read [`taken`](Self::taken) once more
    /// afterwards: the worker may have looked just before.
    pub fn want_notice(&self) {
        self.wanted.0.store(1, Ordering::SeqCst);
    }

    /// Front: offers taken up so far.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::SeqCst)
    }

    /// Front: turns of the loop so far.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Front: the step in execution now.
    pub fn step(&self) -> Option<Step> {
        let name = self.step.load(Ordering::Acquire);
        Step::from_words(name, self.since.load(Ordering::Relaxed))
    }

    /// Front: what the watch thread saw last, which may be some milliseconds ago. `None` if it writes just now.
    pub fn sight(&self) -> Option<Sight> {
        self.watched.read()
    }

    /// The state of an executor that has not begun.
    pub(crate) fn reset(&self) {
        self.end_step();
        self.watched.publish(&Sight::default());
    }
}
