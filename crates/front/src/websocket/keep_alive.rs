//! When to ping a client, and when to take it for dead. Time comes in as an argument.

use std::time::Duration;

use tokio::time::Instant;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    /// Neither a pong nor anything else came in time.
    Dead,
}

/// Pings a WebSocket on which the client has been silent for a while. Whatever the client sends shows that it lives.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    interval: Option<Duration>,
    timeout: Option<Duration>,
    heard: Instant,
    pinged: Option<Instant>,
}

impl KeepAlive {
    pub(crate) fn new(interval: Option<Duration>, timeout: Option<Duration>, now: Instant) -> Self {
        Self { interval, timeout, heard: now, pinged: None }
    }

    /// The client sent something, or would not have been heard.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    /// What is due now, and when to look again; never if there is no interval.
    pub(crate) fn check(&mut self, now: Instant) -> (Due, Option<Instant>) {
        let Some(interval) = self.interval else {
            return (Due::Nothing, None);
        };
        if let Some(pinged) = self.pinged {
            return match self.timeout.map(|timeout| pinged + timeout) {
                Some(deadline) if deadline <= now => (Due::Dead, None),
                Some(deadline) => (Due::Nothing, Some(deadline.min(now + interval))),
                None => self.ping(now, interval),
            };
        }
        let due = self.heard + interval;
        if due > now { (Due::Nothing, Some(due)) } else { self.ping(now, interval) }
    }

    fn ping(&mut self, now: Instant, interval: Duration) -> (Due, Option<Instant>) {
        self.pinged = Some(now);
        // The next ping may be due before the time-out of this one.
        (Due::Ping, Some(now + self.timeout.map_or(interval, |timeout| timeout.min(interval))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn silent_client_is_pinged_and_then_dead() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(Some(20 * SECOND), Some(5 * SECOND), start);
        assert_eq!(keep_alive.check(start), (Due::Nothing, Some(start + 20 * SECOND)));
        assert_eq!(keep_alive.check(start + 20 * SECOND), (Due::Ping, Some(start + 25 * SECOND)));
        assert_eq!(keep_alive.check(start + 25 * SECOND), (Due::Dead, None));
    }

    #[test]
    fn client_that_speaks_is_not_pinged() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(Some(20 * SECOND), Some(5 * SECOND), start);
        keep_alive.heard(start + 15 * SECOND);
        assert_eq!(keep_alive.check(start + 20 * SECOND), (Due::Nothing, Some(start + 35 * SECOND)));
    }

    #[test]
    fn anything_heard_after_a_ping_is_as_good_as_a_pong() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(Some(20 * SECOND), Some(5 * SECOND), start);
        keep_alive.check(start + 20 * SECOND);
        keep_alive.heard(start + 24 * SECOND);
        assert_eq!(keep_alive.check(start + 25 * SECOND), (Due::Nothing, Some(start + 44 * SECOND)));
    }

    #[test]
    fn an_answered_ping_does_not_delay_the_next_one() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(Some(SECOND), Some(20 * SECOND), start);
        assert_eq!(keep_alive.check(start + SECOND), (Due::Ping, Some(start + 2 * SECOND)));
        keep_alive.heard(start + SECOND);
        assert_eq!(keep_alive.check(start + 2 * SECOND), (Due::Ping, Some(start + 3 * SECOND)));
        assert_eq!(keep_alive.check(start + 3 * SECOND), (Due::Nothing, Some(start + 4 * SECOND)));
    }

    #[test]
    fn without_a_timeout_pings_go_on_and_without_an_interval_there_are_none() {
        let start = Instant::now();
        let mut patient = KeepAlive::new(Some(20 * SECOND), None, start);
        assert_eq!(patient.check(start + 20 * SECOND), (Due::Ping, Some(start + 40 * SECOND)));
        assert_eq!(patient.check(start + 40 * SECOND), (Due::Ping, Some(start + 60 * SECOND)));
        assert_eq!(KeepAlive::new(None, None, start).check(start + 40 * SECOND), (Due::Nothing, None));
    }
}
