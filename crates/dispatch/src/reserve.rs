//! How many workers are kept free of calls that hold event loops: one at least, and as many as the other work needs.

use std::time::Duration;

/// The need is averaged over this time.
const WINDOW: f64 = 2.0;
/// The reserved workers are to be busy for this share of their time; a queue before them would grow steeply above it.
const UTILISATION: f64 = 0.7;

/// The time for which normal work runs on event loops, in the recent past.
#[derive(Debug, Default)]
pub(crate) struct Reserve {
    /// Seconds on event loops, decaying.
    seconds: f64,
    last: Duration,
}

impl Reserve {
    /// A call that leaves its loop to others has used it for so long in all. Of one that ran for longer than the window
    /// only the part of the window counts: a WebSocket tells at its end of hours.
    pub(crate) fn add(&mut self, on_loop: Duration, run_time: Duration, now: Duration) {
        let recent = WINDOW / run_time.as_secs_f64().max(WINDOW);
        self.seconds = self.decayed(now) + on_loop.as_secs_f64() * recent;
        self.last = now;
    }

    fn decayed(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.last).as_secs_f64();
        self.seconds * (1.0 - passed / WINDOW).max(0.0)
    }

    /// How many workers to keep free.
    pub(crate) fn workers(&self, now: Duration) -> usize {
        let busy = self.decayed(now) / WINDOW;
        ((busy / UTILISATION).ceil() as usize).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_call_only_what_fell_into_the_window_counts() {
        let (hour, now) = (Duration::from_secs(3600), Duration::from_secs(7200));
        let mut reserve = Reserve::default();
        reserve.add(Duration::from_secs(600), hour, now);
        assert_eq!(reserve.workers(now), 1);
        reserve.add(Duration::from_secs(2), Duration::from_secs(2), now);
        assert_eq!(reserve.workers(now), 2);
    }
}
