//! What became of the requests, and figures over them.

use std::time::Duration;

use andon_dispatch::{Refusal, RouteId, WorkerId};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its work was done.
    Answered {
        /// When it was started.
        started: Duration,
        /// Where.
        worker: WorkerId,
    },
    /// It was refused.
    Refused(Refusal),
}

/// One request that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Its route.
    pub route: RouteId,
    /// When it arrived.
    pub arrived: Duration,
    /// When it ended.
    pub ended: Duration,
    /// How.
    pub end: End,
}

impl Outcome {
    /// From arrival to end.
    pub fn latency(&self) -> Duration {
        self.ended.saturating_sub(self.arrived)
    }

    /// From arrival to start, if it was started.
    pub fn wait(&self) -> Option<Duration> {
        match self.end {
            End::Answered { started, .. } => Some(started.saturating_sub(self.arrived)),
            End::Refused(_) => None,
        }
    }
}

/// Requests that have ended, in the order in which they did.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// The requests.
    pub list: Vec<Outcome>,
    /// Offers that were taken back in the whole run.
    pub recalls: usize,
}

impl Outcomes {
    fn those(&self, wanted: impl Fn(&Outcome) -> bool) -> Self {
        let list = self.list.iter().filter(|outcome| wanted(outcome)).copied().collect();
        Self { list, recalls: self.recalls }
    }

    /// Those of a route.
    pub fn of(&self, route: u32) -> Self {
        self.those(|outcome| outcome.route == RouteId(route))
    }

    /// Those that arrived in a part of the run.
    pub fn between(&self, from: Duration, to: Duration) -> Self {
        self.those(|outcome| (from..to).contains(&outcome.arrived))
    }

    /// Those that were answered.
    pub fn answered(&self) -> Self {
        self.those(|outcome| outcome.wait().is_some())
    }

    /// Those that were refused.
    pub fn refused(&self) -> Self {
        self.those(|outcome| outcome.wait().is_none())
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The latency that such a share of them does not exceed; zero if there are none.
    pub fn latency(&self, share: f64) -> Duration {
        let mut latencies: Vec<_> = self.list.iter().map(Outcome::latency).collect();
        latencies.sort_unstable();
        let index = (share * latencies.len() as f64).ceil() as usize;
        latencies.get(index.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Mean latency; zero if there are none.
    pub fn mean_latency(&self) -> Duration {
        mean(self.list.iter().map(Outcome::latency))
    }

    /// Mean wait before being started, over those that were.
    pub fn mean_wait(&self) -> Duration {
        mean(self.list.iter().filter_map(Outcome::wait))
    }

    /// How many each worker answered, by number.
    pub fn per_worker(&self, workers: usize) -> Vec<usize> {
        let mut counts = vec![0; workers];
        for outcome in &self.list {
            if let End::Answered { worker, .. } = outcome.end
                && let Some(count) = counts.get_mut(worker.0 as usize)
            {
                *count += 1;
            }
        }
        counts
    }
}

fn mean(times: impl Iterator<Item = Duration>) -> Duration {
    let (mut sum, mut count) = (0.0, 0);
    for time in times {
        sum += time.as_secs_f64();
        count += 1;
    }
    if count == 0 { Duration::ZERO } else { Duration::from_secs_f64(sum / f64::from(count)) }
}
