//! Which request goes next, and to which worker.

use std::time::Duration;

use crate::{
    Action, Class, Dispatcher, Reason, RequestId, RouteId, WorkerId,
    calls::{Call, Place, Probe},
    group::GroupName,
    route::Route,
    worker::WHOLE,
};

impl Dispatcher {
    /// Places what waits, as far as workers are free.
    pub(crate) fn place_waiting(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.workers.ready() == 0 {
            self.refuse_all(actions);
            return;
        }
        for name in GroupName::in_order(self.workers.ready() == 1) {
            if self.groups[name as usize].is_empty() {
                continue;
            }
            if !self.workers.iter().any(|worker| worker.is_free(&self.settings)) {
                return;
            }
            match name {
                GroupName::New => self.place_new(now, actions),
                _ => while self.place_next(now, name, actions) {},
            }
        }
    }

    /// New routes and those on trial do not wait for each other. All of a kind are placed alike, so where there is no
    /// worker for one there is none for the others, and these are not asked: clients can make up many routes.
    fn place_new(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let routes: Vec<_> = self.groups[GroupName::New as usize].heads.iter().map(|&(_, id)| id).collect();
        let mut full = [false; 3];
        for id in routes {
            while let Some((request, _)) = self.head_of(id) {
                let full = &mut full[self.routes[id.0 as usize].novelty()];
                if *full {
                    break;
                }
                match self.choose(now, id) {
                    Some(worker) => self.place(now, request, worker, actions),
                    None => *full = true,
                }
            }
        }
    }

    fn head_of(&self, id: RouteId) -> Option<(RequestId, RouteId)> {
        let route = &self.routes[id.0 as usize];
        route.head?;
        let newest_first = self.groups[route.group() as usize].newest_first;
        route.first(newest_first).map(|(request, _)| (request, id))
    }

    /// Places the request of a group that goes first; false if there is none, or no worker for it.
    fn place_next(&mut self, now: Duration, name: GroupName, actions: &mut Vec<Action>) -> bool {
        let Some((request, id)) = self.next_in(now, name) else { return false };
        let Some(worker) = self.choose(now, id) else { return false };
        self.place(now, request, worker, actions);
        true
    }

    fn next_in(&self, now: Duration, name: GroupName) -> Option<(RequestId, RouteId)> {
        let group = &self.groups[name as usize];
        if group.newest_first
            && let Some(request) = group.overdue(name, now, &self.settings)
            && let Some(call) = self.calls.get(request)
            && !self.routes[call.route.0 as usize].is_full()
        {
            return Some((request, call.route));
        }
        let &(_, id) = group.heads.first()?;
        self.head_of(id)
    }

    /// The worker for a call of the route, if one is free for it.
    pub(crate) fn choose(&self, now: Duration, id: RouteId) -> Option<WorkerId> {
        let (route, settings) = (&self.routes[id.0 as usize], &self.settings);
        match route.class {
            Class::Light => self.workers.for_normal(now, settings),
            Class::WaitsOnThread => self.workers.for_waiting(now, settings),
            Class::Unknown => self.workers.for_unknown(route.placed == 0, now, settings),
            Class::Trial => self.workers.for_computing(WHOLE, now, settings),
            Class::HoldsLoop => {
                let reserved = self.reserve.workers(now);
                self.workers.for_holding(route.hold_share(), reserved, now, settings)
            }
            Class::Computes | Class::ComputesBriefly => {
                self.workers.for_computing(route.compute_share(settings), now, settings)
            }
        }
    }

    /// Gives a request, waiting or just arrived, to a worker.
    pub(crate) fn place(&mut self, now: Duration, request: RequestId, id: WorkerId, actions: &mut Vec<Action>) {
        let Some(call) = self.calls.get(request) else { return };
        let route_id = call.route;
        let reason = reason(&self.routes[route_id.0 as usize], call, now > call.arrived);
        self.leave_queue(now, request, route_id);
        self.placements += 1;
        let route = &mut self.routes[route_id.0 as usize];
        route.placed += 1;
        let (charge, probe) = route.charge(&self.settings);
        let executor = route.executor;
        if route.is_full() {
            self.update_head(route_id);
        }
        let (Some(call), Some(worker)) = (self.calls.get_mut(request), self.workers.get_mut(id)) else { return };
        (call.place, call.placed, call.placement) = (Place::Placed(id), now, self.placements);
        (call.charge, call.probe, call.executor) = (charge, probe, executor);
        worker.offer(request, self.placements, now);
        worker.charge(request, charge);
        if probe != Probe::No {
            worker.probing.push(request);
        }
        actions.push(Action::Offer { request, worker: id, executor, reason });
    }

    /// Out of the queue to a worker, unless it has just arrived and never was there.
    fn leave_queue(&mut self, now: Duration, request: RequestId, id: RouteId) {
        let route = &mut self.routes[id.0 as usize];
        if route.waiting() == 0 {
            return;
        }
        // What was taken back and comes for the second time has been counted.
        if self.calls.get(request).is_some_and(|call| !call.was_returned()) {
            let group = &mut self.groups[route.group() as usize].drain;
            let drain = if route.is_limited() { &mut route.drain } else { group };
            drain.placed(now);
        }
        self.dequeue(request);
    }
}

fn reason(route: &Route, call: &Call, waited: bool) -> Reason {
    if call.was_returned() {
        return Reason::Returned;
    }
    match route.class {
        _ if route.rule.run.is_some() => Reason::Rule,
        _ if route.is_offloaded() => Reason::Offloaded,
        Class::Unknown | Class::Trial => Reason::NewRoute,
        Class::HoldsLoop => Reason::HoldsLoop,
        Class::Computes => Reason::Computes,
        Class::Light | Class::WaitsOnThread | Class::ComputesBriefly if waited => Reason::Waited,
        Class::Light | Class::WaitsOnThread | Class::ComputesBriefly => Reason::LeastBusy,
    }
}
