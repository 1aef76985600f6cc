//! How workers are brought to their end: one that is retired, one that is overdue, or all of them.

use std::time::Duration;

use super::{
    Action, Fleet, Phase, Report,
    member::{MemberId, Stage},
};
use crate::StartError;

/// How long the lifespan shutdown of a worker may take at least, whatever the graceful time-out has left of itself.
pub(super) const LEAVE_AT_LEAST: Duration = Duration::from_secs(5);

/// How long a worker that has not come up may take to end, when it is not wanted any more.
const LEAVE_UNBORN: Duration = Duration::from_secs(2);

impl Fleet {
    pub(super) fn retire_all_but(&mut self, now: Duration, generation: u32, within: Duration) {
        for id in self.ids(|member| member.generation != generation) {
            self.retire(now, id, within);
        }
    }

    /// Lets a worker end what it has; one that never came up has nothing.
    pub(super) fn retire(&mut self, now: Duration, id: MemberId, within: Duration) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        member.replaced = false;
        match member.stage {
            Stage::Ready => {
                member.stage = Stage::Retiring { until: now + within };
                self.act(Action::Retire(id));
            }
            Stage::Retiring { until } => member.stage = Stage::Retiring { until: until.min(now + within) },
            Stage::Starting => self.dismiss(now, id, LEAVE_AT_LEAST),
            Stage::Leaving { .. } | Stage::Lost { .. } | Stage::Killed => {}
        }
    }

    pub(super) fn dismiss_generation(&mut self, now: Duration, generation: u32) {
        for id in self.ids(|member| member.generation == generation) {
            self.dismiss(now, id, LEAVE_AT_LEAST);
        }
    }

    /// Tells a worker to end, and gives it at least `within` to do so.
    pub(super) fn dismiss(&mut self, now: Duration, id: MemberId, within: Duration) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        member.replaced = false;
        let patience = match member.stage {
            Stage::Starting => LEAVE_UNBORN,
            Stage::Ready | Stage::Retiring { .. } => within.max(LEAVE_AT_LEAST),
            Stage::Leaving { .. } | Stage::Lost { .. } | Stage::Killed => return,
        };
        member.stage = Stage::Leaving { until: now + patience };
        self.act(Action::Shutdown(id));
    }

    pub(super) fn kill(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(&id)
            && member.stage != Stage::Killed
        {
            member.stage = Stage::Killed;
            self.act(Action::Kill(id));
        }
    }

    pub(super) fn pass_deadlines(&mut self, now: Duration) {
        for id in self.ids(|member| member.deadline().is_some_and(|deadline| deadline <= now)) {
            let stage = self.members.get(&id).map(|member| member.stage);
            if matches!(stage, Some(Stage::Retiring { .. })) {
                self.dismiss(now, id, LEAVE_AT_LEAST);
            } else {
                self.report(Report::Overdue(id));
                self.kill(id);
            }
        }
    }

    // The end

    pub(super) fn stop(&mut self, now: Duration, within: Duration, failure: Option<StartError>) {
        if matches!(self.phase, Phase::Stopping(_)) {
            return;
        }
        self.phase = Phase::Stopping(failure);
        self.attempt = None;
        self.forget_replacements();
        for id in self.ids(|_| true) {
            self.retire(now, id, within);
        }
        self.members.values_mut().for_each(|member| member.replaced = false);
    }

    pub(super) fn stop_now(&mut self) {
        if matches!(self.phase, Phase::Running) {
            self.phase = Phase::Stopping(None);
        }
        self.attempt = None;
        for id in self.ids(|_| true) {
            self.kill(id);
        }
        self.members.values_mut().for_each(|member| member.replaced = false);
    }

    pub(super) fn end_if_empty(&mut self) {
        if let Phase::Stopping(failure) = &mut self.phase
            && self.members.is_empty()
        {
            let outcome = failure.take().map_or(Ok(()), Err);
            self.act(Action::End(outcome));
        }
    }
}
