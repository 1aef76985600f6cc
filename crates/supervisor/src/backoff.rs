//! How long to wait before a dead worker is replaced.
//!
//! At once the first time, then 0.1 s, doubled each time up to 30 s, or up to a second if the worker had served: what it
//! died of was not its start. A worker that lived for ten seconds starts the count anew. Half of each delay is random, so
//! that workers which died together do not come back together.

use std::time::Duration;

/// A worker that lived so long did not die of its start.
const STEADY: Duration = Duration::from_secs(10);
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);
const LONGEST_AFTER_SERVING: Duration = Duration::from_secs(1);

/// The life of a worker that has died.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Life {
    pub(crate) lasted: Duration,
    /// It had been ready.
    pub(crate) served: bool,
}

/// The deaths in a row of the workers of one seat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff {
    deaths: u32,
}

impl Backoff {
    /// The delay after a worker of this `life`. `random` is in 0..1.
    pub(crate) fn next(&mut self, life: Life, random: f64) -> Duration {
        if life.lasted >= STEADY {
            self.deaths = 0;
        }
        let longest = if life.served { LONGEST_AFTER_SERVING } else { LONGEST };
        let delay = match self.deaths.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => (FIRST * (1 << doublings)).min(longest),
        };
        // Beyond the longest delay deaths do not count: one that had not served would wait for those that had.
        if delay < longest {
            self.deaths += 1;
        }
        delay.mul_f64(0.5 + random / 2.0)
    }
}

/// Random numbers for delays (splitmix64): predictable from their seed, which is what tests want.
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number in 0..1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As near to 1 as a random number comes: delays are whole.
    const ALL: f64 = 1.0;

    #[test]
    fn first_restart_is_at_once_and_later_ones_double() {
        let mut backoff = Backoff::default();
        let delays: Vec<u128> = (0..5).map(|_| backoff.next(Life::default(), ALL).as_millis()).collect();
        assert_eq!(delays, [0, 100, 200, 400, 800]);
    }

    #[test]
    fn delay_never_exceeds_thirty_seconds() {
        let mut backoff = Backoff::default();
        let longest = (0..1000).map(|_| backoff.next(Life::default(), ALL)).max();
        assert_eq!(longest, Some(LONGEST));
    }

    #[test]
    fn worker_that_had_served_is_missed_for_a_second_at_most() {
        let mut backoff = Backoff::default();
        let life = Life { lasted: STEADY / 2, served: true };
        let longest = (0..1000).map(|_| backoff.next(life, ALL)).max();
        assert_eq!(longest, Some(LONGEST_AFTER_SERVING));
        assert_eq!(backoff.next(Life::default(), ALL), FIRST * 16);
    }

    #[test]
    fn ten_seconds_of_life_start_the_count_anew() {
        let mut backoff = Backoff::default();
        backoff.next(Life::default(), ALL);
        backoff.next(Life::default(), ALL);
        assert_eq!(backoff.next(Life { lasted: STEADY, served: true }, ALL), Duration::ZERO);
    }

    #[test]
    fn at_least_half_of_a_delay_is_waited() {
        let mut backoff = Backoff::default();
        backoff.next(Life::default(), 0.0);
        assert_eq!(backoff.next(Life::default(), 0.0), FIRST / 2);
    }

    #[test]
    fn random_numbers_are_spread_over_their_range() {
        let mut jitter = Jitter::new(7);
        let numbers: Vec<f64> = (0..1000).map(|_| jitter.next()).collect();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        let mean = numbers.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
