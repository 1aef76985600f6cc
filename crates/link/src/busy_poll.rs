//! Polling instead of sleeping while a single exchange is under way.
//!
//! With one request at a time every process sleeps while the next one works, and on a virtual machine waking a
//! processor that has halted costs more than the request. So the front's thread does not sleep for a short while when
//! it has sent a lone request to its worker, or has answered it: it goes round its event loop instead. With more than
//! one exchange it has work to do anyway. `docs/performance.md` has the figures.
//!
//! What does not pay is left: see [`Habit`].

use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::Workers;

/// After so many misses in a row only one exchange of 2^n is polled for.
const MOST_MISSES: u32 = 10;

/// What wakes the polling task.
#[derive(Default)]
pub(crate) struct BusyPoll {
    submitted: Notify,
}

impl BusyPoll {
    /// A request was submitted.
    pub(crate) fn wake(&self) {
        self.submitted.notify_one();
    }
}

/// Whether polling for one kind of event has been worth while lately. Each miss in a row doubles the number of
/// exchanges that go unpolled, so a slow application or a slow client costs next to nothing.
#[derive(Debug, Default)]
struct Habit {
    misses: u32,
    skip: u32,
}

impl Habit {
    fn is_worth_while(&mut self) -> bool {
        let worth_while = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        worth_while
    }

    fn learn(&mut self, hit: bool) {
        self.misses = if hit { 0 } else { (self.misses + 1).min(MOST_MISSES) };
        self.skip = (1 << self.misses) - 1;
    }
}

impl Workers {
    /// Polls for at most `longest` at a time; runs as long as the server does, on the front's thread.
    pub async fn busy_poll(&self, longest: Duration) {
        let mut answers = Habit::default();
        let mut requests = Habit::default();
        loop {
            self.busy_poll.submitted.notified().await;
            if self.live() == 1 && answers.is_worth_while() {
                answers.learn(self.poll_while(1, longest).await);
            }
            // The request that this waits for notifies as well, so the next turn waits for its answer.
            if self.live() == 0 && requests.is_worth_while() {
                requests.learn(self.poll_while(0, longest).await);
            }
        }
    }

    fn live(&self) -> usize {
        self.hub.lock().live()
    }

    /// Keeps the thread awake while so many exchanges are under way. False if that lasted for `longest`.
    async fn poll_while(&self, live: usize, longest: Duration) -> bool {
        let began = Instant::now();
        while self.live() == live {
            if began.elapsed() >= longest {
                return false;
            }
            tokio::task::yield_now().await;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_miss_in_a_row_doubles_what_goes_unpolled() {
        let mut habit = Habit::default();
        let mut unpolled = Vec::new();
        for _ in 0..4 {
            habit.learn(false);
            unpolled.push(std::iter::from_fn(|| (!habit.is_worth_while()).then_some(())).count());
        }
        assert_eq!(unpolled, [1, 3, 7, 15]);
    }

    #[test]
    fn one_hit_restores_the_habit() {
        let mut habit = Habit::default();
        habit.learn(false);
        habit.learn(true);
        assert!(habit.is_worth_while());
        assert!(habit.is_worth_while());
    }
}
