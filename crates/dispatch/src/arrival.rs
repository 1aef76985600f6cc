//! A request arrives: it is placed at once, waits, or is refused now rather than after waiting.

use std::time::Duration;

use crate::{
    Action, Arrival, Class, Dispatcher, Refusal, RouteId,
    calls::Call,
    group::{GroupName, admitted_wait},
};

impl Dispatcher {
    pub(crate) fn arrive(&mut self, now: Duration, arrival: Arrival, actions: &mut Vec<Action>) {
        let Arrival { request, route: id, bytes, deadline } = arrival;
        if matches!(self.route_mut(id).class, Class::HoldsLoop | Class::Computes) {
            // It may have been so long ago that it is to be tried again.
            self.with_route(now, id, |_| {});
        }
        if let Some(refusal) = self.refusal(now, &arrival) {
            actions.push(Action::Refuse(request, refusal));
            return;
        }
        self.live += 1;
        self.calls.insert(request, Call::new(id, bytes, now, deadline));
        if self.may_skip_queue(&arrival)
            && let Some(worker) = self.choose(now, id)
        {
            self.place(now, request, worker, actions);
            return;
        }
        if let Some(refusal) = self.overload(now, &arrival) {
            self.live -= 1;
            self.calls.remove(request);
            self.note_refusal(now, id);
            actions.push(Action::Refuse(request, refusal));
        } else {
            let ticket = self.next_ticket;
            self.next_ticket += 1;
            self.enqueue(now, request, ticket);
        }
    }

    /// Why it is refused however free the workers are.
    fn refusal(&self, now: Duration, arrival: &Arrival) -> Option<Refusal> {
        if self.settings.concurrency.is_some_and(|limit| self.live >= limit) {
            Some(Refusal::Overloaded)
        } else if arrival.deadline.is_some_and(|deadline| deadline <= now) {
            Some(Refusal::DeadlinePassed)
        } else {
            None
        }
    }

    fn note_refusal(&mut self, now: Duration, id: RouteId) {
        let name = self.routes[id.0 as usize].group();
        if self.groups[name as usize].is_standing(name, now, &self.settings) {
            self.serve_newest(name);
        }
    }

    /// Nothing waits that would have to go first.
    fn may_skip_queue(&self, arrival: &Arrival) -> bool {
        let route = &self.routes[arrival.route.0 as usize];
        let none_before = match route.group() {
            GroupName::New => route.waiting() == 0,
            name => self.groups[name as usize].heads.is_empty() && route.waiting() == 0,
        };
        none_before && !route.is_full()
    }

    /// Why it is refused if it would have to wait.
    fn overload(&self, now: Duration, arrival: &Arrival) -> Option<Refusal> {
        if self.workers.ready() == 0 {
            return Some(Refusal::NoWorker);
        }
        let (settings, route) = (&self.settings, &self.routes[arrival.route.0 as usize]);
        if self.waiting >= settings.queue_requests
            || self.waiting_bytes.saturating_add(arrival.bytes) > settings.queue_bytes
        {
            return Some(Refusal::Overloaded);
        }
        let name = route.group();
        if route.is_limited() {
            let wait = route.drain.expected_wait(route.waiting(), now);
            return (route.waiting() > 0 && wait > admitted_wait(name.timeout(settings))).then_some(Refusal::RouteFull);
        }
        let group = &self.groups[name as usize];
        group.is_overloaded(name, route.priority(), now, settings).then_some(Refusal::Overloaded)
    }
}
