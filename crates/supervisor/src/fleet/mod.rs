//! The decisions of the supervisor: which worker is started, retired, told to leave, killed, and when.
//!
//! [`Fleet::step`] takes what has happened and the time (since any fixed moment) and says what to do. It has no
//! clock, no process and no socket.
//!
//! There are as many *seats* as workers are wanted; each is taken by one *member* of the serving generation. Their
//! number may change at any time: members are added or retired once a generation serves (`seats`). A new generation is
//! an *attempt* until all its members are ready:
//!
//! | attempt | while it runs | if it fails | when it is ready |
//! |---|---|---|---|
//! | first | nothing is served | the server ends with its failure; under `--reload` a change is waited for | serving begins |
//! | roll (SIGHUP, a change) | the old generation serves | it is stopped, the old one stays | the old one is retired |
//!
//! A member that dies outside an attempt is replaced, with a delay ([`Backoff`]).

mod ending;
mod generation;
mod member;
mod message;
mod seats;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use ending::LEAVE_AT_LEAST;
use generation::Attempt;
use member::{Member, Stage};
use seats::Seat;

pub(crate) use member::MemberId;
pub(crate) use message::{Action, Event, Report};

use crate::{Departure, StartError, backoff::Jitter};

/// How long a process may outlive its socket before it is killed.
const LINGER: Duration = Duration::from_secs(1);

/// What the fleet has to know.
#[derive(Debug, Clone)]
pub(crate) struct FleetSettings {
    /// Workers wanted at first, at least one.
    pub(crate) workers: u32,
    /// Under `--reload`: a generation that cannot start is not the end.
    pub(crate) reload: bool,
    /// How long the exchanges of a retired worker may take.
    pub(crate) graceful: Duration,
    /// Where random numbers begin.
    pub(crate) seed: u64,
}

#[derive(Debug)]
enum Phase {
    Running,
    /// Everything ends, and the server with it; because of a failure, or because it was told to.
    Stopping(Option<StartError>),
}

/// All workers and what is to become of them.
#[derive(Debug)]
pub(crate) struct Fleet {
    settings: FleetSettings,
    phase: Phase,
    members: BTreeMap<MemberId, Member>,
    /// Workers wanted: the seats 1 to this one are to be taken.
    wanted: u32,
    /// Those in which a member has died.
    seats: BTreeMap<u32, Seat>,
    /// The generation that was begun last.
    generation: u32,
    /// The generation whose members are replaced when they die; 0: none has served yet.
    serving: u32,
    attempt: Option<Attempt>,
    /// SIGHUP came while an attempt was running: another follows.
    again: bool,
    next_member: u32,
    jitter: Jitter,
    actions: Vec<Action>,
}

impl Fleet {
    pub(crate) fn new(settings: FleetSettings) -> Self {
        Self {
            wanted: settings.workers,
            seats: BTreeMap::new(),
            phase: Phase::Running,
            members: BTreeMap::new(),
            generation: 0,
            serving: 0,
            attempt: None,
            again: false,
            next_member: 0,
            jitter: Jitter::new(settings.seed),
            actions: Vec::new(),
            settings,
        }
    }

    /// When [`Event::Time`] is next needed.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let members = self.members.values().filter_map(Member::deadline);
        members.chain(self.seats.values().filter_map(|seat| seat.due)).min()
    }

    /// Takes in what happened at `now` and says what to do about it, in this order.
    pub(crate) fn step(&mut self, now: Duration, event: Event) -> Vec<Action> {
        match event {
            Event::Begin => self.begin(now),
            Event::Time => self.pass_deadlines(now),
            Event::SpawnFailed(id, source) => self.spawn_failed(now, id, source),
            Event::Ready(id) => self.ready(now, id),
            Event::Failed(id, failure) => self.failed(now, id, failure),
            Event::Idle(id) => self.idle(now, id),
            Event::Closed(id) => self.closed(now, id),
            Event::Gone(id, how) => self.gone(now, id, how),
            Event::Reload => self.reload(now),
            Event::Changed => self.changed(now),
            Event::Resize(wanted) => self.resize(wanted),
            Event::Stop(within) => self.stop(now, within, None),
            Event::StopNow => self.stop_now(),
        }
        self.fit_seats(now);
        self.end_if_empty();
        std::mem::take(&mut self.actions)
    }

    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    fn report(&mut self, report: Report) {
        self.act(Action::Report(report));
    }

    // Starting workers

    fn spawn(&mut self, now: Duration, seat: u32, generation: u32) {
        let id = MemberId(self.next_member);
        self.next_member += 1;
        self.members.insert(id, Member::new(seat, generation, now));
        self.act(Action::Spawn { id, seat });
    }

    // What workers tell

    fn ready(&mut self, now: Duration, id: MemberId) {
        let Some(member) = self.members.get_mut(&id).filter(|member| member.stage == Stage::Starting) else {
            return;
        };
        member.stage = Stage::Ready;
        member.served = true;
        let attempted = self.is_attempted(id);
        self.report(if attempted { Report::Ready(id) } else { Report::Replaced(id) });
        if let Some(attempt) = self.attempt.take_if(|attempt| attempt.is_ready(&self.members)) {
            self.succeed(now, &attempt);
        }
    }

    fn failed(&mut self, now: Duration, id: MemberId, failure: StartError) {
        let Some(member) = self.members.get_mut(&id).filter(|member| member.stage == Stage::Starting) else {
            return;
        };
        member.stage = Stage::Leaving { until: now + LEAVE_AT_LEAST };
        if self.is_attempted(id) {
            self.fail_attempt(now, failure);
        } else {
            self.report(Report::ReplacementFailed(id, failure));
        }
    }

    fn spawn_failed(&mut self, now: Duration, id: MemberId, source: std::io::Error) {
        let attempted = self.is_attempted(id);
        let Some(member) = self.members.remove(&id) else {
            return;
        };
        let failure = StartError::Spawn { seat: member.seat, source: source.into() };
        if attempted {
            self.fail_attempt(now, failure);
        } else if member.replaced {
            self.replace(now, &member);
            self.report(Report::ReplacementFailed(id, failure));
        }
    }

    fn idle(&mut self, now: Duration, id: MemberId) {
        if let Some(Stage::Retiring { until }) = self.members.get(&id).map(|member| member.stage) {
            self.dismiss(now, id, until.saturating_sub(now));
        }
    }

    fn closed(&mut self, now: Duration, id: MemberId) {
        if let Some(member) = self.members.get_mut(&id)
            && matches!(member.stage, Stage::Starting | Stage::Ready | Stage::Retiring { .. })
        {
            member.stage = Stage::Lost { until: now + LINGER };
        }
    }

    fn gone(&mut self, now: Duration, id: MemberId, how: Departure) {
        let attempted = self.is_attempted(id);
        let Some(member) = self.members.remove(&id) else {
            return;
        };
        if !member.replaced {
            self.report(Report::Left { id, how });
        } else if attempted {
            self.fail_attempt(now, StartError::Died { seat: member.seat, how });
        } else {
            let delay = self.replace(now, &member);
            self.report(Report::Died { id, how, delay });
        }
    }

    fn ids(&self, wanted: impl Fn(&Member) -> bool) -> Vec<MemberId> {
        self.members.iter().filter(|(_, member)| wanted(member)).map(|(&id, _)| id).collect()
    }
}
