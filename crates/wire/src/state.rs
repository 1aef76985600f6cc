//! State words: what an executor of a worker is doing, written by it with plain stores and read by the front.
//!
//! The front can read them at any time, also while the worker holds its GIL and answers nothing. Each field is
//! whole by itself; fields may be from different moments.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// No slot is in execution.
const IDLE: u64 = u64::MAX;

/// The state of one executor. Worker-written and front-written words are on cache lines of their own.
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
    /// CPU time of the executor's thread at the end of its last step, in nanoseconds.
    processor_time: AtomicU64,
    wanted: NoticeWanted,
}

#[derive(Debug)]
#[repr(C, align(64))]
struct NoticeWanted(AtomicU32);

impl ExecutorState {
    /// Worker: a step of the exchange in `slot` begins.
    pub fn begin_step(&self, slot: u32, generation: u32, now: u64) {
        self.since.store(now, Ordering::Relaxed);
        self.step.store((u64::from(generation) << 32) | u64::from(slot), Ordering::Release);
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

    /// Worker: the thread has used so much CPU time, in nanoseconds.
    pub fn set_processor_time(&self, nanoseconds: u64) {
        self.processor_time.store(nanoseconds, Ordering::Relaxed);
    }

    /// Worker: whether the front waits to be told of claims; asking clears the wish.
    pub fn take_notice_wanted(&self) -> bool {
        self.wanted.0.load(Ordering::SeqCst) != 0 && self.wanted.0.swap(0, Ordering::SeqCst) != 0
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

    /// Front: CPU time of the executor's thread, in nanoseconds.
    pub fn processor_time(&self) -> u64 {
        self.processor_time.load(Ordering::Relaxed)
    }

    /// Front: slot, generation and start (nanoseconds of the monotonic clock) of the step in execution.
    pub fn step(&self) -> Option<(u32, u32, u64)> {
        let step = self.step.load(Ordering::Acquire);
        let since = self.since.load(Ordering::Relaxed);
        (step != IDLE).then_some((step as u32, (step >> 32) as u32, since))
    }

    /// The state of an executor that has not begun.
    pub(crate) fn reset(&self) {
        self.end_step();
    }
}
