//! How fast a queue is emptied, measured while there is something in it, and what wait that means for one more.

use std::time::Duration;

/// The window: about two seconds of waiting, and at least eight placements.
const WINDOW: f64 = 2.0;
const MOST_FORGOTTEN: f64 = 1.0 / 8.0;
/// Fewer placements than this say nothing.
const ENOUGH: f64 = 4.0;

/// The rate at which requests leave a queue for a worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drain {
    placements: f64,
    /// Seconds with something in the queue.
    seconds: f64,
    last: Duration,
}

impl Drain {
    /// Something waits from now on.
    pub(crate) fn begin(&mut self, now: Duration) {
        self.last = now;
    }

    /// One that waited was placed.
    pub(crate) fn placed(&mut self, now: Duration) {
        let interval = now.saturating_sub(self.last).as_secs_f64();
        self.last = now;
        let kept = 1.0 - (interval / WINDOW).min(MOST_FORGOTTEN);
        self.placements = self.placements * kept + 1.0;
        self.seconds = self.seconds * kept + interval;
    }

    /// How long one would wait with so many ahead. A queue that stands still is expected to go on doing so for as long
    /// as it has.
    pub(crate) fn expected_wait(&self, ahead: usize, now: Duration) -> Duration {
        if self.placements < ENOUGH {
            return Duration::ZERO;
        }
        let wait = ahead as f64 * self.seconds / self.placements;
        // A century, lest a float be no duration.
        Duration::from_secs_f64(wait.min(3e9)) + now.saturating_sub(self.last)
    }
}
