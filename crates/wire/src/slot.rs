//! Slot words: who may run a request, decided by one compare-and-swap.
//!
//! A word is `generation << 32 | state`. Only the front moves a word out of `free`, and only the front frees it; the
//! one race is on `offered`, where the worker's claim and the front's recall meet:
//!
//! ```text
//!              offer (front)           claim (worker)           finish (worker)
//!   free(g) ----------------> offered(g) ------------> claimed(g) ------------> done(g)
//!     ^                          |                                                |
//!     '------ recall (front) ----'--------------- release (front): free(g + 1) ---'
//! ```

use std::sync::atomic::{AtomicU64, Ordering};

/// Where a slot is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum SlotState {
    /// Holds no request.
    Free = 0,
    /// Given to the worker, which has not started it.
    Offered = 1,
    /// The worker has started it.
    Claimed = 2,
    /// The application's callable has returned.
    Done = 3,
}

const fn word(generation: u32, state: SlotState) -> u64 {
    ((generation as u64) << 32) | state as u64
}

/// One slot's word in shared memory. Every method is one atomic operation.
#[derive(Debug)]
#[repr(transparent)]
pub struct SlotWord(AtomicU64);

impl SlotWord {
    /// A free slot of generation 0.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn swap(&self, from: u64, to: u64) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Front: the slot holds a request of `generation` from now on. The slot must be free.
    pub fn offer(&self, generation: u32) {
        self.0.store(word(generation, SlotState::Offered), Ordering::Release);
    }

    /// Worker: starts the request, unless it was recalled. True if it may be run.
    #[must_use]
    pub fn claim(&self, generation: u32) -> bool {
        self.swap(word(generation, SlotState::Offered), word(generation, SlotState::Claimed))
    }

    /// Front: takes the request back, unless the worker has started it. True if it was taken back.
    #[must_use]
    pub fn recall(&self, generation: u32) -> bool {
        self.swap(word(generation, SlotState::Offered), word(generation, SlotState::Free))
    }

    /// Worker: the application's callable has returned.
    pub fn finish(&self, generation: u32) {
        let _ = self.swap(word(generation, SlotState::Claimed), word(generation, SlotState::Done));
    }

    /// Front: the slot is free again, whatever it held.
    pub fn release(&self, next_generation: u32) {
        self.0.store(word(next_generation, SlotState::Free), Ordering::Release);
    }

    /// State and generation as they are now; an unknown state (torn by a hostile worker) counts as claimed.
    pub fn load(&self) -> (SlotState, u32) {
        let value = self.0.load(Ordering::Acquire);
        let state = match value as u32 {
            0 => SlotState::Free,
            1 => SlotState::Offered,
            3 => SlotState::Done,
            _ => SlotState::Claimed,
        };
        (state, (value >> 32) as u32)
    }
}

impl Default for SlotWord {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_claimed_request_is_not_recalled() {
        let slot = SlotWord::new();
        slot.offer(7);
        assert!(slot.claim(7));
        assert!(!slot.recall(7));
        assert_eq!(slot.load(), (SlotState::Claimed, 7));
    }

    #[test]
    fn a_recalled_request_is_not_claimed() {
        let slot = SlotWord::new();
        slot.offer(7);
        assert!(slot.recall(7));
        assert!(!slot.claim(7));
    }

    #[test]
    fn a_late_frame_cannot_claim_the_next_request_of_its_slot() {
        let slot = SlotWord::new();
        slot.offer(1);
        assert!(slot.recall(1));
        slot.offer(2);
        assert!(!slot.claim(1));
        assert!(slot.claim(2));
    }

    #[test]
    fn exactly_one_of_claim_and_recall_wins() {
        let slot = SlotWord::new();
        let wins = AtomicUsize::new(0);
        for generation in 0..2_000 {
            slot.offer(generation);
            std::thread::scope(|scope| {
                scope.spawn(|| wins.fetch_add(slot.claim(generation).into(), Ordering::Relaxed));
                wins.fetch_add(slot.recall(generation).into(), Ordering::Relaxed);
            });
            slot.release(generation + 1);
        }
        assert_eq!(wins.into_inner(), 2_000);
    }
}
