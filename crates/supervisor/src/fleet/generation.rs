//! Generations: how a new one is begun, succeeds, or fails.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Action, Fleet, Phase, Report,
    ending::LEAVE_AT_LEAST,
    member::{Member, MemberId, Stage},
};
use crate::StartError;

/// The longest that requests to old code are waited for after a change under `--reload`.
const RETIRE_AFTER_CHANGE: Duration = Duration::from_secs(5);

/// Why a generation is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// No generation serves yet.
    First,
    /// The old generation serves until this one can.
    Roll,
}

/// A generation that is not ready yet.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) generation: u32,
    pub(super) purpose: Purpose,
    /// How many members it has.
    pub(super) size: u32,
}

impl Attempt {
    /// Whether all its members can serve.
    pub(super) fn is_ready(&self, members: &BTreeMap<MemberId, Member>) -> bool {
        let ready = |member: &&Member| member.generation == self.generation && member.stage == Stage::Ready;
        members.values().filter(ready).count() == self.size as usize
    }
}

impl Fleet {
    /// Starts a new generation beside the one that serves, if one does.
    pub(super) fn begin(&mut self, now: Duration) {
        let purpose = if self.serving == 0 { Purpose::First } else { Purpose::Roll };
        self.generation += 1;
        self.attempt = Some(Attempt { generation: self.generation, purpose, size: self.wanted });
        for seat in 1..=self.wanted {
            self.spawn(now, seat, self.generation);
        }
    }

    pub(super) fn succeed(&mut self, now: Duration, attempt: &Attempt) {
        self.serving = attempt.generation;
        self.forget_replacements();
        match attempt.purpose {
            Purpose::First => self.act(Action::Serving),
            Purpose::Roll => {
                let limit = if self.settings.reload { RETIRE_AFTER_CHANGE } else { Duration::MAX };
                self.retire_all_but(now, attempt.generation, self.settings.graceful.min(limit));
                self.report(Report::Rolled);
            }
        }
        self.try_again(now);
    }

    pub(super) fn fail_attempt(&mut self, now: Duration, failure: StartError) {
        let Some(attempt) = self.attempt.take() else {
            return;
        };
        match attempt.purpose {
            Purpose::First if !self.settings.reload => return self.stop(now, LEAVE_AT_LEAST, Some(failure)),
            Purpose::First => self.report(Report::FirstFailed(failure)),
            Purpose::Roll => self.report(Report::RollFailed(failure)),
        }
        self.dismiss_generation(now, attempt.generation);
        self.try_again(now);
    }

    pub(super) fn try_again(&mut self, now: Duration) {
        if std::mem::take(&mut self.again) {
            self.reload(now);
        }
    }

    /// A new generation is wanted; one that is being started is let be and followed by another.
    pub(super) fn reload(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Stopping(_)) {
            return;
        }
        if self.attempt.is_some() {
            self.again = true;
            return;
        }
        self.report(Report::Rolling);
        self.begin(now);
    }

    /// The code is another one: a generation that is being started is of no use any more.
    pub(super) fn changed(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Stopping(_)) {
            return;
        }
        if let Some(attempt) = self.attempt.take() {
            self.dismiss_generation(now, attempt.generation);
        }
        self.begin(now);
    }

    pub(super) fn is_attempted(&self, id: MemberId) -> bool {
        let generation = self.members.get(&id).map(|member| member.generation);
        self.attempt.as_ref().is_some_and(|attempt| Some(attempt.generation) == generation)
    }
}
