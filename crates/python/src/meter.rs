//! Measuring the steps on the event loop: how long each held it, what CPU time it used, and whether that was its own
//! doing.
//!
//! Written by the loop's thread, read by the watch thread. The plain step costs two readings of the monotonic clock,
//! which are no system calls; everything else happens once a millisecond at most, or for long steps only.

use std::sync::atomic::{AtomicU64, Ordering};

use andon_wire::Excuses;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::{
    clock::{self, ProcessorMark},
    probe::Probe,
};

/// Steps below this many nanoseconds need no excuse. Half of what dispatch calls a stall.
const EXCUSED_FROM: u64 = 10_000_000;

/// A step that would have lasted for so many nanoseconds even so has no excuse: what dispatch calls a stall.
const STALL: u64 = 20_000_000;

/// Whether a step of `wall` nanoseconds is excused by `part` of them: it is most of them, and without it the step would
/// not have been a stall. Collections in a step that itself computes for long do not excuse it, they are its own doing.
pub(crate) fn excused(part: u64, wall: u64) -> bool {
    wall >= EXCUSED_FROM && part.saturating_mul(2) > wall && wall.saturating_sub(part) < STALL
}

/// Measures the steps of one event loop.
pub(crate) struct Meter {
    probe: Probe,
    mark: Mutex<Marks>,
    /// Garbage collection so far, in nanoseconds, and since when one runs (0: none does).
    collected: AtomicU64,
    collecting: AtomicU64,
    /// How long the loop was seen waiting for the GIL so far, in nanoseconds: the watch thread adds to it.
    waited_for_gil: AtomicU64,
}

#[derive(Default)]
struct Marks {
    processor: ProcessorMark,
    /// When the machine's share was read, and how long the thread had waited for a processor then.
    starved_at: u64,
    starved: u64,
    modules: usize,
}

/// A step that has begun.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) at: u64,
    collected: u64,
    waited_for_gil: u64,
}

/// What a step came to, in nanoseconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) wall: u64,
    pub(crate) processor: u64,
    pub(crate) excuses: Excuses,
}

impl Meter {
    /// Must be made on the thread of the event loop.
    pub(crate) fn new() -> Self {
        Self {
            probe: Probe::of_this_thread(),
            mark: Mutex::default(),
            collected: AtomicU64::new(0),
            collecting: AtomicU64::new(0),
            waited_for_gil: AtomicU64::new(0),
        }
    }

    /// The loop's thread, seen from outside.
    pub(crate) fn probe(&self) -> &Probe {
        &self.probe
    }

    /// A step begins.
    pub(crate) fn begin(&self) -> Begun {
        let at = clock::monotonic();
        let mut marks = self.mark.lock();
        marks.processor.begin(at);
        if at.saturating_sub(marks.starved_at) >= EXCUSED_FROM {
            marks.starved_at = at;
            marks.starved = self.probe.starved().unwrap_or_default();
        }
        drop(marks);
        Begun { at, collected: self.collected(at), waited_for_gil: self.waited_for_gil.load(Ordering::Relaxed) }
    }

    /// The step ends. `modules`: how many modules are imported; asked for after long steps only.
    pub(crate) fn end(&self, begun: Begun, modules: impl FnOnce() -> usize) -> Cost {
        let now = clock::monotonic();
        let wall = now.saturating_sub(begun.at);
        if wall < clock::LONG {
            return Cost { wall, processor: wall, excuses: Excuses::NONE };
        }
        let processor = self.mark.lock().processor.end(wall, now);
        let excuses = if wall < EXCUSED_FROM { Excuses::NONE } else { self.excuses(begun, now, modules()) };
        Cost { wall, processor, excuses }
    }

    /// What the step in execution has come to. For the loop's own thread.
    pub(crate) fn so_far(&self, began: u64) -> Cost {
        let wall = clock::monotonic().saturating_sub(began);
        let short = wall < clock::LONG;
        let used = || clock::processor().saturating_sub(self.mark.lock().processor.processor).min(wall);
        Cost { wall, processor: if short { wall } else { used() }, excuses: Excuses::NONE }
    }

    /// CPU time of the loop's thread since the mark before the step in execution. For the watch thread.
    pub(crate) fn processor_in_step(&self) -> Option<u64> {
        Some(self.probe.processor()?.saturating_sub(self.mark.lock().processor.processor))
    }

    /// How long collections have taken up to `now`, the running one included.
    pub(crate) fn collected(&self, now: u64) -> u64 {
        let running = match self.collecting.load(Ordering::Relaxed) {
            0 => 0,
            since => now.saturating_sub(since),
        };
        self.collected.load(Ordering::Relaxed) + running
    }

    /// The loop was seen to wait for the GIL for so many nanoseconds more.
    pub(crate) fn add_wait_for_gil(&self, nanoseconds: u64) {
        self.waited_for_gil.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// How many modules are imported now: what is imported from here on counts for the step that does it.
    pub(crate) fn set_modules(&self, modules: usize) {
        self.mark.lock().modules = modules;
    }

    fn excuses(&self, begun: Begun, now: u64, modules: usize) -> Excuses {
        let wall = now - begun.at;
        let mut marks = self.mark.lock();
        let starved = self.probe.starved().map_or(0, |starved| starved.saturating_sub(marks.starved));
        let waited = self.waited_for_gil.load(Ordering::Relaxed) - begun.waited_for_gil;
        let imported = std::mem::replace(&mut marks.modules, modules) < modules;
        Excuses::NONE
            .with(Excuses::GARBAGE_COLLECTION, excused(self.collected(now) - begun.collected, wall))
            .with(Excuses::STARVED, excused(starved, wall))
            .with(Excuses::GIL, excused(waited, wall))
            .with(Excuses::IMPORTS, imported)
    }

    /// Takes in what `gc.callbacks` tells.
    pub(crate) fn collection(&self, phase: &str) {
        let now = clock::monotonic();
        if phase == "start" {
            self.collecting.store(now, Ordering::Relaxed);
            return;
        }
        let since = self.collecting.swap(0, Ordering::Relaxed);
        if since != 0 {
            self.collected.fetch_add(now.saturating_sub(since), Ordering::Relaxed);
        }
    }
}

/// What is put into `gc.callbacks`.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Collections(pub(crate) std::sync::Arc<Meter>);

#[pymethods]
impl Collections {
    fn __call__(&self, phase: &str, _information: &Bound<'_, PyAny>) {
        self.0.collection(phase);
    }
}

#[cfg(test)]
mod tests {
    use super::excused;

    const MILLISECOND: u64 = 1_000_000;

    #[test]
    fn a_step_is_excused_only_if_it_would_not_have_been_a_stall() {
        assert!(excused(90 * MILLISECOND, 100 * MILLISECOND));
        assert!(!excused(60 * MILLISECOND, 100 * MILLISECOND));
        assert!(!excused(0, 15 * MILLISECOND));
        assert!(!excused(5 * MILLISECOND, 5 * MILLISECOND));
    }
}
