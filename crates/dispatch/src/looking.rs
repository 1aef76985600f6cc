//! What is seen of workers from outside: offers taken up, event loops held, threads that compute. A running request
//! counts at once; nothing here waits for a call to end.

use std::time::Duration;

use crate::{
    Action, Dispatcher, RequestId, RouteId, Running, Sight, WorkerId,
    calls::{Charge, Place, Probe},
    profile::{is_computing, share},
    worker::{Offer, WHOLE},
};

/// Looks that must not have found a new route's call on the event loop before its first step counts as ended: one may
/// fall between the claim and the step.
const LOOKS: u8 = 2;

/// A call on trial that has run for so many times `heavy_after` without being seen to compute is taken for quiet.
const TRIAL: u32 = 3;

impl Dispatcher {
    /// The worker has come past offers.
    pub(crate) fn take(&mut self, id: WorkerId, total: u64) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        while let Some(offer) = worker.take_next(total) {
            if !worker.probing.is_empty()
                && self.calls.offered(&offer).is_some_and(|call| call.probe == Probe::Offered)
                && let Some(call) = self.calls.get_mut(offer.request)
            {
                call.probe = Probe::Begun(0);
            }
        }
    }

    /// Time has passed: takes back what stalled workers hold, and what can no longer be of use.
    pub(crate) fn recall_late(&mut self, now: Duration) {
        let calls = &self.calls;
        for worker in self.workers.iter_mut() {
            worker.stall_if_late(now, &self.settings);
            let id = worker.id;
            let stalled = worker.is_stalled();
            let wanted = |offer: &Offer| calls.offered(offer).is_some_and(|call| stalled || call.is_past_deadline(now));
            self.recalls.extend(worker.recall_offers(wanted).map(|request| Action::Recall(request, id)));
        }
    }

    /// Takes in what the state words of a worker show.
    pub(crate) fn look(&mut self, now: Duration, id: WorkerId, sight: Sight) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        let turned = worker.turn(sight.turns);
        if sight.step.is_some_and(|step| step.elapsed >= self.settings.stall_after) {
            worker.stall();
            let calls = &self.calls;
            let wanted = |offer: &Offer| calls.offered(offer).is_some();
            self.recalls.extend(worker.recall_offers(wanted).map(|request| Action::Recall(request, id)));
        }
        if let Some(step) = sight.step {
            self.blame_for_holding(now, id, &step);
        }
        if let Some(work) = sight.threads {
            self.blame_for_computing(now, id, &work);
        }
        self.watch_new(now, id, &sight, turned);
        self.count_heavy(now, id, &sight);
        self.ease(now, id, &sight);
    }

    fn blame_for_holding(&mut self, now: Duration, id: WorkerId, step: &Running) {
        if step.elapsed < self.settings.heavy_after || step.excused {
            return;
        }
        let Some(call) = self.calls.placed_on(step.request, id).filter(|call| !call.seen_holding) else { return };
        call.seen_holding = true;
        let route = call.route;
        let processor_share = share(step.processor, step.elapsed);
        self.with_route(now, route, |route| route.profile.saw_holding(processor_share, now));
        self.recharge(step.request, Charge::Loop(WHOLE), Probe::No);
    }

    fn blame_for_computing(&mut self, now: Duration, id: WorkerId, work: &Running) {
        if work.processor < self.settings.heavy_after || !is_computing(work.processor, work.elapsed) {
            return;
        }
        let Some(call) = self.calls.placed_on(work.request, id).filter(|call| !call.seen_computing) else { return };
        call.seen_computing = true;
        let route = call.route;
        self.with_route(now, route, |route| route.profile.saw_computing(now));
        let charge = Charge::Threads(self.routes[route.0 as usize].compute_share(&self.settings));
        self.recharge(work.request, charge, Probe::No);
    }

    /// Sees how far the calls of new routes have come.
    fn watch_new(&mut self, now: Duration, id: WorkerId, sight: &Sight, turned: bool) {
        let Some(worker) = self.workers.get(id).filter(|worker| !worker.probing.is_empty()) else { return };
        // A loop that stands in a step of some other call may not have come to the new one yet.
        let tells = turned || sight.step.is_none();
        for request in worker.probing.clone() {
            let on_loop = sight.step.is_some_and(|step| step.request == request);
            let computes =
                sight.threads.is_some_and(|work| work.request == request && is_computing(work.processor, work.elapsed));
            let Some(call) = self.calls.placed_on(request, id) else { continue };
            match call.probe {
                Probe::Begun(looks) if tells && !on_loop && looks + 1 < LOOKS => call.probe = Probe::Begun(looks + 1),
                Probe::Begun(_) if tells && !on_loop => self.first_step_ended(now, request),
                Probe::Trial if now.saturating_sub(call.placed) >= self.settings.heavy_after * TRIAL && !computes => {
                    let route = call.route;
                    self.with_route(now, route, |route| route.profile.saw_quiet());
                    self.follow_route(request, route);
                }
                _ => {}
            }
        }
    }

    /// A new route's call has given the event loop back.
    pub(crate) fn first_step_ended(&mut self, now: Duration, request: RequestId) {
        let Some(call) = self.calls.get(request) else { return };
        let route = call.route;
        self.with_route(now, route, |route| route.profile.saw_step_end());
        self.follow_route(request, route);
    }

    /// Counts a call as what its route is placed as now.
    fn follow_route(&mut self, request: RequestId, route: RouteId) {
        let (charge, probe) = self.routes[route.0 as usize].charge(&self.settings);
        self.recharge(request, charge, if probe == Probe::No { Probe::No } else { Probe::Trial });
    }

    pub(crate) fn recharge(&mut self, request: RequestId, charge: Charge, probe: Probe) {
        let Some(call) = self.calls.get_mut(request) else { return };
        let Place::Placed(id) = call.place else { return };
        let Some(worker) = self.workers.get_mut(id) else { return };
        worker.discharge(request, call.charge);
        worker.charge(request, charge);
        if probe == Probe::No && call.probe != Probe::No {
            worker.probing.retain(|&other| other != request);
        }
        (call.charge, call.probe) = (charge, probe);
    }
}
