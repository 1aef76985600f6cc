//! Stall reports: what held a worker's event loop, and who waited for it meanwhile.
//!
//! The worker says what the stalled code is ([`andon_wire::stall::Stall`], once or, if its stack could be had only
//! later, twice); the front knows whom it held up. A report is given when the step has ended, or while it still runs
//! once it has lasted for [`ONGOING_AFTER`].

use std::{sync::Arc, time::Duration};

use andon_wire::{
    stall::{Place, Stall},
    state::{ExecutorState, Sight},
};

/// A stall that lasts longer is reported before its end.
const ONGOING_AFTER: Duration = Duration::from_secs(1);

/// Requests that are named in a report; all are counted.
const MOST_NAMED: usize = 16;

/// What an operator is told of a stall.
#[derive(Debug, Clone)]
pub struct StallReport {
    /// Number of the worker.
    pub worker: u32,
    /// The route whose request stalled; a text in brackets where it was none's.
    pub route: Arc<str>,
    /// For how long the step has lasted.
    pub elapsed: Duration,
    /// It has not ended yet.
    pub ongoing: bool,
    /// What the worker says: kind, CPU time and stack.
    pub stall: Stall,
    /// Some of those who waited for it.
    pub held_up: Vec<HeldUp>,
    /// How many did.
    pub held_up_count: usize,
}

/// A request that waited for a stalled worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldUp {
    /// Its route.
    pub route: Arc<str>,
    /// For how long.
    pub waited: Duration,
    /// It was taken back and given to another worker; else it was running in the stalled one.
    pub placed_elsewhere: bool,
}

/// The stall of one worker that goes on, if there is one.
#[derive(Debug)]
pub(crate) struct Stalled {
    /// Slot and generation of the exchange; `None` where it is no exchange's.
    pub(crate) exchange: Option<(u32, u32)>,
    pub(crate) route: Arc<str>,
    stall: Stall,
    reported: bool,
}

pub(crate) type StallName = (Duration, Place);

pub(crate) fn name_of(stall: &Stall) -> StallName {
    (stall.since, stall.place)
}

/// Who was taken back from a worker lately, and when.
#[derive(Debug, Default)]
pub(crate) struct Returned {
    latest: Vec<(Duration, HeldUp)>,
    count: usize,
}

/// What became of a stall.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Course {
    GoesOn,
    /// It goes on, and it is time to report it.
    Due,
    Ended,
}

impl Stalled {
    pub(crate) fn new(exchange: Option<(u32, u32)>, route: Arc<str>, stall: Stall) -> Self {
        Self { exchange, route, stall, reported: false }
    }

    /// When its step began, and where: what tells it from other stalls of the worker.
    pub(crate) fn name(&self) -> StallName {
        name_of(&self.stall)
    }

    /// Takes in what the worker says later of the same step. False if it is another step.
    pub(crate) fn update(&mut self, stall: &Stall) -> bool {
        let same = self.name() == name_of(stall);
        if same && (stall.frames.is_some() || self.stall.frames.is_none()) {
            self.stall = stall.clone();
        }
        same
    }

    /// Whether the stall still goes on, judged by the worker's state words.
    pub(crate) fn course(&self, now: Duration, state: &ExecutorState, sight: Option<&Sight>) -> Course {
        let since = self.stall.since.as_nanos() as u64;
        let goes_on = match (self.exchange, self.stall.place) {
            // No state word tells when that ends. A stack may still come.
            (None, Place::EventLoop) => self.stall.frames.is_none() && self.elapsed(now) < ONGOING_AFTER,
            (Some(_), Place::EventLoop) => state.step().is_some_and(|step| step.since == since),
            // What is being written just now counts as unchanged.
            (_, Place::Thread) => sight.is_none_or(|sight| sight.thread.is_some_and(|seen| seen.step.since == since)),
        };
        match goes_on {
            false => Course::Ended,
            true if !self.reported && self.elapsed(now) >= ONGOING_AFTER => Course::Due,
            true => Course::GoesOn,
        }
    }

    fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.stall.since).max(self.stall.elapsed)
    }

    /// The report, unless it was given before. `running`: who else the worker had.
    pub(crate) fn report(
        &mut self,
        now: Duration,
        worker: u32,
        returned: &mut Returned,
        running: Vec<HeldUp>,
    ) -> Option<StallReport> {
        if std::mem::replace(&mut self.reported, true) {
            return None;
        }
        let elapsed = self.elapsed(now);
        let (mut held_up, returned_count) = returned.take_since(self.stall.since);
        let held_up_count = returned_count + running.len();
        held_up.extend(running.into_iter().map(|held_up| HeldUp { waited: held_up.waited.min(elapsed), ..held_up }));
        held_up.truncate(MOST_NAMED);
        let (route, stall) = (Arc::clone(&self.route), self.stall.clone());
        Some(StallReport { worker, route, elapsed, ongoing: false, stall, held_up, held_up_count })
    }
}

impl Returned {
    /// A request was taken back from the worker at `now`.
    pub(crate) fn add(&mut self, now: Duration, held_up: HeldUp) {
        self.count += 1;
        if self.latest.len() < MOST_NAMED {
            self.latest.push((now, held_up));
        }
    }

    /// Forgets who was taken back so long ago that no step which has not been told of can be the reason.
    pub(crate) fn forget(&mut self, now: Duration) {
        if self.latest.last().is_some_and(|(when, _)| now.saturating_sub(*when) > 2 * ONGOING_AFTER) {
            *self = Self::default();
        }
    }

    fn take_since(&mut self, since: Duration) -> (Vec<HeldUp>, usize) {
        let Self { latest, count } = std::mem::take(self);
        let unnamed = count - latest.len();
        let of_step: Vec<HeldUp> =
            latest.into_iter().filter(|(when, _)| *when >= since).map(|(_, held_up)| held_up).collect();
        let count = of_step.len() + if of_step.is_empty() { 0 } else { unnamed };
        (of_step, count)
    }
}

#[cfg(test)]
mod tests {
    use andon_wire::{memory::SharedMemory, stall::StallKind};

    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn stall(since: Duration) -> Stall {
        Stall {
            kind: StallKind::Blocked,
            place: Place::EventLoop,
            since,
            elapsed: Duration::from_millis(100),
            processor: Duration::ZERO,
            system_call: String::new(),
            frames: None,
            cut: false,
        }
    }

    fn held_up(milliseconds: u64, placed_elsewhere: bool) -> HeldUp {
        HeldUp { route: "GET /fast".into(), waited: Duration::from_millis(milliseconds), placed_elsewhere }
    }

    #[test]
    fn a_stall_is_reported_when_its_step_has_ended() {
        let memory = SharedMemory::create().unwrap();
        let state = memory.executor();
        state.begin_step(3, 1, seconds(10).as_nanos() as u64);
        let mut stalled = Stalled::new(Some((3, 1)), "GET /slow".into(), stall(seconds(10)));
        let now = seconds(10) + Duration::from_millis(500);
        assert_eq!(stalled.course(now, state, None), Course::GoesOn);
        state.end_step();
        assert_eq!(stalled.course(now, state, None), Course::Ended);
        let mut returned = Returned::default();
        returned.add(seconds(9), held_up(20, true));
        returned.add(now, held_up(20, true));
        let report = stalled.report(now, 1, &mut returned, vec![held_up(9_000, false)]).unwrap();
        assert_eq!(report.elapsed, Duration::from_millis(500));
        assert_eq!(report.held_up, [held_up(20, true), held_up(500, false)]);
        assert_eq!(report.held_up_count, 2);
        assert!(stalled.report(now, 1, &mut returned, Vec::new()).is_none(), "once is enough");
    }

    #[test]
    fn a_long_stall_is_reported_while_it_goes_on() {
        let memory = SharedMemory::create().unwrap();
        let state = memory.executor();
        state.begin_step(3, 1, seconds(10).as_nanos() as u64);
        let mut stalled = Stalled::new(Some((3, 1)), "GET /slow".into(), stall(seconds(10)));
        assert_eq!(stalled.course(seconds(11), state, None), Course::Due);
        assert!(stalled.report(seconds(11), 1, &mut Returned::default(), Vec::new()).is_some());
        assert_eq!(stalled.course(seconds(12), state, None), Course::GoesOn);
    }

    #[test]
    fn code_outside_of_requests_is_reported_when_its_stack_is_there_or_does_not_come() {
        let memory = SharedMemory::create().unwrap();
        let state = memory.executor();
        let mut stalled = Stalled::new(None, "(none)".into(), stall(seconds(1)));
        assert_eq!(stalled.course(seconds(1), state, None), Course::GoesOn);
        assert_eq!(stalled.course(seconds(2), state, None), Course::Ended);
        assert!(stalled.update(&Stall { frames: Some(Vec::new()), ..stall(seconds(1)) }));
        assert_eq!(stalled.course(seconds(1), state, None), Course::Ended);
    }

    #[test]
    fn a_stack_that_comes_later_completes_the_stall() {
        let mut stalled = Stalled::new(None, "(none)".into(), stall(seconds(1)));
        let with_stack = Stall { frames: Some(Vec::new()), ..stall(seconds(1)) };
        assert!(stalled.update(&with_stack));
        assert!(stalled.update(&stall(seconds(1))));
        assert!(!stalled.update(&stall(seconds(2))));
        let report = stalled.report(seconds(2), 1, &mut Returned::default(), Vec::new()).unwrap();
        assert!(report.stall.frames.is_some());
    }
}
