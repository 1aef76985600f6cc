//! A request leaves its worker: ended, measured before that, or taken back without having been started.

use std::time::Duration;

use crate::{
    Action, Dispatcher, Refusal, RequestId, Usage, WorkerId,
    calls::{Call, Charge, Place, Probe},
    profile::Lesson,
};

impl Dispatcher {
    /// What a call has used so far.
    pub(crate) fn measure(&mut self, now: Duration, request: RequestId, usage: Usage) {
        let Some(call) = self.calls.get_mut(request) else { return };
        call.usage = Some(usage);
        let begun = matches!(call.probe, Probe::Offered | Probe::Begun(_));
        if begun && usage.loop_longest < self.settings.heavy_after {
            self.first_step_ended(now, request);
        }
    }

    pub(crate) fn end(&mut self, now: Duration, request: RequestId) {
        let Some(call) = self.calls.get(request) else { return };
        match call.place {
            Place::Absent => return,
            Place::Waiting => self.dequeue(request),
            Place::Placed(worker) => {
                self.learn(now, request);
                self.leave_worker(now, request, worker);
            }
        }
        self.live -= 1;
        self.calls.remove(request);
    }

    /// Learns from a call that has ended.
    fn learn(&mut self, now: Duration, request: RequestId) {
        let Some(call) = self.calls.get(request) else { return };
        let Some(lesson) = lesson(now, call) else { return };
        let heavy_after = self.settings.heavy_after;
        if !matches!(call.charge, Charge::Loop(_)) {
            self.reserve.add(lesson.usage.loop_total, lesson.run_time, now);
        }
        self.with_route(now, call.route, |route| route.profile.learn(&lesson, heavy_after, now));
    }

    /// What was taken back has waited longest: it goes to the head of the queue.
    pub(crate) fn take_back(&mut self, now: Duration, request: RequestId, actions: &mut Vec<Action>) {
        let Some(&Call { place: Place::Placed(worker), .. }) = self.calls.get(request) else { return };
        self.leave_worker(now, request, worker);
        if self.workers.ready() == 0 {
            self.live -= 1;
            self.calls.remove(request);
            actions.push(Action::Refuse(request, Refusal::NoWorker));
            return;
        }
        let ticket = self.first_ticket;
        self.first_ticket -= 1;
        self.enqueue(now, request, ticket);
    }

    fn leave_worker(&mut self, now: Duration, request: RequestId, id: WorkerId) {
        let Some(call) = self.calls.get_mut(request) else { return };
        let (charge, probe, known) = (call.charge, call.probe, call.probe == Probe::No);
        (call.charge, call.probe) = (Charge::Nothing, Probe::No);
        let route = call.route;
        self.routes[route.0 as usize].placed -= 1;
        if let Some(worker) = self.workers.get_mut(id) {
            worker.busy -= 1;
            worker.discharge(request, charge);
            if known && matches!(charge, Charge::Loop(_)) {
                worker.keep_heavy(now);
            }
            if probe != Probe::No {
                worker.probing.retain(|&other| other != request);
            }
        }
        if self.routes[route.0 as usize].is_limited() {
            self.update_head(route);
        }
    }
}

fn lesson(now: Duration, call: &Call) -> Option<Lesson> {
    Some(Lesson {
        usage: call.usage?,
        run_time: now.saturating_sub(call.placed),
        executor: call.executor,
        seen_holding: call.seen_holding,
        seen_computing: call.seen_computing,
    })
}
