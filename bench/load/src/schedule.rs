//! When each request of a constant-rate run is due.
//!
//! Pure. Due times are computed from the index, never from the previous request, so that neither a slow server nor
//! rounding can shift the ones that follow: that is what keeps the measurement free of coordinated omission.

use std::time::Duration;

/// `count` requests, evenly spaced.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    rate: f64,
    count: u64,
}

impl Schedule {
    /// `rate` requests per second for `duration`, and no more than `at_most` of them.
    pub fn new(rate: f64, duration: Duration, at_most: Option<u64>) -> Self {
        let whole = (rate * duration.as_secs_f64()).round() as u64;
        Self { rate, count: whole.min(at_most.unwrap_or(u64::MAX)) }
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Time from the start of the run to the moment at which request `index` has to be sent.
    pub fn due(&self, index: u64) -> Duration {
        Duration::from_secs_f64(index as f64 / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_times_duration_requests_are_due() {
        assert_eq!(Schedule::new(200.0, Duration::from_secs(8), None).count(), 1600);
        assert_eq!(Schedule::new(0.5, Duration::from_secs(4), None).count(), 2);
    }

    #[test]
    fn count_is_bounded() {
        assert_eq!(Schedule::new(1e4, Duration::from_secs(10), Some(8)).count(), 8);
    }

    #[test]
    fn first_request_is_due_at_once_and_spacing_is_even() {
        let schedule = Schedule::new(200.0, Duration::from_secs(8), None);
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(1), Duration::from_millis(5));
        assert_eq!(schedule.due(200), Duration::from_secs(1));
    }

    #[test]
    fn rounding_does_not_add_up() {
        let schedule = Schedule::new(3.0, Duration::from_secs(3000), None);
        let error = schedule.due(8999).as_secs_f64() - 8999.0 / 3.0;
        assert!(error.abs() < 1e-8, "drifted by {error} s");
    }
}
