//! The words that the watch thread writes: a sequence lock, so that a reader has them all from one moment.
//!
//! One writer, any readers, no waiting on either side: the version is odd while the words change, and a reader that
//! finds it odd or changed has read nothing.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use crate::{
    Excuses,
    state::{IDLE, Seen, Sight, Step},
};

/// How often a reader looks again before it gives up until next time.
const ATTEMPTS: usize = 4;

#[derive(Debug)]
#[repr(C)]
struct SeenWords {
    name: AtomicU64,
    since: AtomicU64,
    processor: AtomicU64,
    excuses: AtomicU64,
}

#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Watched {
    version: AtomicU64,
    step: SeenWords,
    thread: SeenWords,
    calls: AtomicU32,
    waiting: AtomicU32,
}

impl SeenWords {
    fn store(&self, seen: Option<Seen>) {
        let Seen { step, processor, excuses } = seen.unwrap_or_default();
        self.name.store(if seen.is_some() { step.name() } else { IDLE }, Ordering::Relaxed);
        self.since.store(step.since, Ordering::Relaxed);
        self.processor.store(processor, Ordering::Relaxed);
        self.excuses.store(excuses.0.into(), Ordering::Relaxed);
    }

    fn load(&self) -> Option<Seen> {
        let step = Step::from_words(self.name.load(Ordering::Relaxed), self.since.load(Ordering::Relaxed))?;
        let processor = self.processor.load(Ordering::Relaxed);
        Some(Seen { step, processor, excuses: Excuses(self.excuses.load(Ordering::Relaxed) as u8) })
    }
}

impl Watched {
    /// Replaces what was seen before.
    pub(crate) fn publish(&self, sight: &Sight) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        // No word may be seen changed by a reader that then still finds the old version.
        fence(Ordering::Release);
        self.step.store(sight.step);
        self.thread.store(sight.thread);
        self.calls.store(sight.calls, Ordering::Relaxed);
        self.waiting.store(sight.waiting, Ordering::Relaxed);
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    /// What was published last; `None` if it is being replaced just now.
    pub(crate) fn read(&self) -> Option<Sight> {
        (0..ATTEMPTS).find_map(|_| self.attempt())
    }

    fn attempt(&self) -> Option<Sight> {
        let version = self.version.load(Ordering::Acquire);
        let sight = Sight {
            step: self.step.load(),
            thread: self.thread.load(),
            calls: self.calls.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
        };
        // The words must have been read before the version is read again.
        fence(Ordering::Acquire);
        (version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version).then_some(sight)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::memory::SharedMemory;

    fn seen(number: u32) -> Seen {
        let step = Step { slot: number, generation: number, since: number.into() };
        Seen { step, processor: number.into(), excuses: Excuses(number as u8) }
    }

    #[test]
    fn what_was_seen_is_read_from_one_moment() {
        let memory = SharedMemory::create().unwrap();
        let executor = memory.executor();
        assert_eq!(executor.sight(), Some(Sight::default()));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1..100_000 {
                    let seen = Some(seen(number));
                    executor.publish(&Sight { step: seen, thread: seen, calls: number, waiting: number });
                }
                stop.store(true, Ordering::Relaxed);
            });
            while !stop.load(Ordering::Relaxed) {
                if let Some(Sight { step: Some(step), thread, calls, waiting }) = executor.sight() {
                    assert_eq!(step, seen(calls));
                    assert_eq!((thread, waiting), (Some(step), calls));
                }
            }
        });
        assert_eq!(executor.sight().unwrap().step, Some(seen(99_999)));
    }
}
