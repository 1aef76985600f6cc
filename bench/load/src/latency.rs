//! Latencies: every value is kept, percentiles are exact.
//!
//! A run is bounded to a few million requests, at eight bytes each; a histogram would save memory that nobody misses
//! and would round the tail, which is what the bench is after.

use std::time::Duration;

use serde::Serialize;

/// Recorded latencies in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    microseconds: Vec<u64>,
}

/// Latencies in milliseconds; `None` where nothing was recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub mean_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p90_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub p99_9_ms: Option<f64>,
    pub max_ms: Option<f64>,
}

impl Latencies {
    pub fn record(&mut self, latency: Duration) {
        self.microseconds.push(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    pub fn count(&self) -> usize {
        self.microseconds.len()
    }

    pub fn summary(&self) -> Summary {
        let mut sorted = self.microseconds.clone();
        sorted.sort_unstable();
        let total: u128 = sorted.iter().map(|&value| u128::from(value)).sum();
        let mean_ms = (!sorted.is_empty()).then(|| total as f64 / sorted.len() as f64 / 1e3);
        let at = |quantile| nearest_rank(&sorted, quantile).map(|value| value as f64 / 1e3);
        Summary { mean_ms, p50_ms: at(0.5), p90_ms: at(0.9), p99_ms: at(0.99), p99_9_ms: at(0.999), max_ms: at(1.0) }
    }
}

/// The smallest value such that at least `quantile` of all values are not above it. `sorted` ascends.
fn nearest_rank(sorted: &[u64], quantile: f64) -> Option<u64> {
    // The subtraction keeps 0.99 * 100 = 99.00000000000001 from being rounded up to rank 100.
    let rank = (quantile * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

/// Latencies by the time at which their requests were due: what a stall looks like over a run.
#[derive(Clone, Debug)]
pub struct Timeline {
    interval: Duration,
    buckets: Vec<Latencies>,
}

/// One interval of a [`Timeline`].
#[derive(Debug, Serialize)]
pub struct Interval {
    /// Seconds from the start of the run to the start of this interval.
    pub at_s: f64,
    pub answers: usize,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
}

impl Timeline {
    pub fn new(interval: Duration) -> Self {
        Self { interval, buckets: Vec::new() }
    }

    pub fn record(&mut self, due: Duration, latency: Duration) {
        let index = (due.as_secs_f64() / self.interval.as_secs_f64()) as usize;
        if self.buckets.len() <= index {
            self.buckets.resize_with(index + 1, Latencies::default);
        }
        self.buckets[index].record(latency);
    }

    pub fn intervals(&self) -> Vec<Interval> {
        let describe = |(index, bucket): (usize, &Latencies)| {
            let summary = bucket.summary();
            Interval {
                at_s: index as f64 * self.interval.as_secs_f64(),
                answers: bucket.count(),
                p50_ms: summary.p50_ms,
                p99_ms: summary.p99_ms,
                max_ms: summary.max_ms,
            }
        };
        self.buckets.iter().enumerate().map(describe).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: impl IntoIterator<Item = u64>) -> Summary {
        let mut latencies = Latencies::default();
        milliseconds.into_iter().for_each(|value| latencies.record(Duration::from_millis(value)));
        latencies.summary()
    }

    #[test]
    fn percentiles_of_one_to_a_hundred_are_their_ranks() {
        let summary = of((1..=100).rev());
        assert_eq!(summary.p50_ms, Some(50.0));
        assert_eq!(summary.p90_ms, Some(90.0));
        assert_eq!(summary.p99_ms, Some(99.0));
        assert_eq!(summary.p99_9_ms, Some(100.0));
        assert_eq!(summary.max_ms, Some(100.0));
        assert_eq!(summary.mean_ms, Some(50.5));
    }

    #[test]
    fn one_value_is_every_percentile() {
        let summary = of([7]);
        assert_eq!((summary.p50_ms, summary.p99_9_ms, summary.max_ms), (Some(7.0), Some(7.0), Some(7.0)));
    }

    #[test]
    fn nothing_recorded_is_no_number() {
        let summary = of([]);
        assert_eq!((summary.mean_ms, summary.p50_ms, summary.max_ms), (None, None, None));
    }

    #[test]
    fn a_single_slow_answer_in_a_thousand_is_the_maximum_only() {
        let summary = of(std::iter::repeat_n(1, 999).chain([9000]));
        assert_eq!((summary.p99_ms, summary.p99_9_ms, summary.max_ms), (Some(1.0), Some(1.0), Some(9000.0)));
    }

    #[test]
    fn timeline_sorts_by_due_time() {
        let mut timeline = Timeline::new(Duration::from_millis(500));
        timeline.record(Duration::from_millis(1200), Duration::from_millis(3));
        timeline.record(Duration::from_millis(499), Duration::from_millis(1));
        let intervals = timeline.intervals();
        assert_eq!(intervals.iter().map(|interval| interval.answers).collect::<Vec<_>>(), [1, 0, 1]);
        assert_eq!((intervals[2].at_s, intervals[2].max_ms), (1.0, Some(3.0)));
    }
}
