//! The terms of one request: how long it may take, and whether its answer tells how it was made.
//!
//! They are the operator's, those of its route, and what a trusted client asks for in `Andon-Timeout: SECONDS` and
//! `Andon-Explain: 1`; the shortest time counts. From anybody else the two fields mean nothing. Either way the
//! application gets them as they were sent.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use crate::connection::Connection;

const ANDON_TIMEOUT: HeaderName = HeaderName::from_static("andon-timeout");
const ANDON_EXPLAIN: HeaderName = HeaderName::from_static("andon-explain");

/// Longer wishes are no bound: about a year, as for options.
const LONGEST: f64 = 366.0 * 24.0 * 3600.0;

/// What holds for a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// When its time is over.
    pub(crate) deadline: Option<Instant>,
    /// Its answer tells where, why and how long it ran.
    pub(crate) explain: bool,
}

/// What a client asks for.
#[derive(Debug, Default)]
struct Wishes {
    timeout: Option<Duration>,
    explain: bool,
}

impl Terms {
    /// For a request that came at `arrived` with these fields. `of_route` is how long those of its route may take.
    pub(crate) fn of(
        connection: &Connection,
        fields: &HeaderMap,
        of_route: Option<Duration>,
        arrived: Instant,
    ) -> Self {
        let settings = &connection.front.settings;
        let wished = if connection.trusted { wishes(fields) } else { Wishes::default() };
        let timeout = [settings.request_timeout, of_route, wished.timeout].into_iter().flatten().min();
        Self { deadline: timeout.map(|timeout| arrived + timeout), explain: settings.explain || wished.explain }
    }

    /// What is left of its time, if that is bounded.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

fn wishes(fields: &HeaderMap) -> Wishes {
    let explain = fields.get(ANDON_EXPLAIN).is_some_and(|value| value.as_bytes() == b"1");
    let timeout = fields.get(ANDON_TIMEOUT).and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok());
    let timeout = timeout.filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST).map(Duration::from_secs_f64);
    Wishes { timeout, explain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wished(name: &str, value: &str) -> Wishes {
        let fields = [(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())];
        wishes(&fields.into_iter().collect())
    }

    #[test]
    fn timeout_is_given_in_seconds() {
        assert_eq!(wished("andon-timeout", "0.25").timeout, Some(Duration::from_millis(250)));
        for value in ["0", "-1", "inf", "NaN", "1e300", "soon", ""] {
            assert_eq!(wished("andon-timeout", value).timeout, None, "{value}");
        }
    }

    #[test]
    fn explanation_is_asked_for_with_one() {
        assert!(wished("andon-explain", "1").explain);
        assert!(!wished("andon-explain", "0").explain);
        assert!(!wished("x-andon-explain", "1").explain);
    }
}
