//! The requests that wait: into and out of the queue of their route, and that route's place among the others.

use std::time::Duration;

use crate::{
    Action, Dispatcher, Priority, Refusal, RequestId, RouteId,
    calls::{Call, Place},
    group::GroupName,
    route::Route,
};

impl Dispatcher {
    pub(crate) fn route_mut(&mut self, route: RouteId) -> &mut Route {
        let index = route.0 as usize;
        if self.routes.len() <= index {
            self.routes.resize_with(index + 1, Route::default);
        }
        &mut self.routes[index]
    }

    /// Changes a route, and moves what waits of it if it is placed as something else from then on.
    pub(crate) fn with_route(&mut self, now: Duration, id: RouteId, change: impl FnOnce(&mut Route)) {
        let route = self.route_mut(id);
        let before = (route.group(), route.priority(), route.is_limited());
        change(route);
        let route = &mut self.routes[id.0 as usize];
        route.refresh(&self.settings, now);
        if route.waiting() > 0 {
            if before != (route.group(), route.priority(), route.is_limited()) {
                self.move_waiting(now, id, before);
            }
            self.update_head(id);
        }
    }

    fn move_waiting(&mut self, now: Duration, id: RouteId, before: (GroupName, Priority, bool)) {
        let (from, old_priority, was_limited) = before;
        let route = &mut self.routes[id.0 as usize];
        let (to, priority, limited) = (route.group(), route.priority(), route.is_limited());
        if limited && !was_limited {
            route.drain.begin(now);
        }
        if let Some(rank) = route.head.take() {
            self.groups[from as usize].heads.remove(&(rank, id));
        }
        for request in self.routes[id.0 as usize].requests() {
            let Some(call) = self.calls.get_mut(request) else { continue };
            let old = &mut self.groups[from as usize];
            old.expiries.remove(&(call.expires, request));
            old.subtract(old_priority, was_limited);
            call.expires = expiry(call, to.timeout(&self.settings));
            let new = &mut self.groups[to as usize];
            new.add(priority, limited, now);
            new.expiries.insert((call.expires, request));
        }
    }

    /// Lets a request wait: at the end of the queue of its route or, if it was taken back, at its head.
    pub(crate) fn enqueue(&mut self, now: Duration, request: RequestId, ticket: i64) {
        let Some(call) = self.calls.get_mut(request) else { return };
        let id = call.route;
        let route = &mut self.routes[id.0 as usize];
        let name = route.group();
        call.place = Place::Waiting;
        call.ticket = ticket;
        call.expires = expiry(call, name.timeout(&self.settings));
        if route.is_limited() && route.waiting() == 0 {
            route.drain.begin(now);
        }
        route.push(request, ticket);
        self.waiting += 1;
        self.waiting_bytes += call.bytes;
        let group = &mut self.groups[name as usize];
        group.add(route.priority(), route.is_limited(), now);
        group.expiries.insert((call.expires, request));
        self.update_head(id);
    }

    /// Takes a request out of the queue, for whatever reason.
    pub(crate) fn dequeue(&mut self, request: RequestId) {
        let Some(call) = self.calls.get(request).filter(|call| call.place == Place::Waiting) else { return };
        let id = call.route;
        let route = &mut self.routes[id.0 as usize];
        route.remove(call.ticket);
        self.waiting -= 1;
        self.waiting_bytes -= call.bytes;
        let group = &mut self.groups[route.group() as usize];
        group.subtract(route.priority(), route.is_limited());
        group.expiries.remove(&(call.expires, request));
        self.update_head(id);
    }

    /// Puts the request of a route that goes first, if it has one and may have one more placed, among the heads.
    pub(crate) fn update_head(&mut self, id: RouteId) {
        let route = &mut self.routes[id.0 as usize];
        let group = &mut self.groups[route.group() as usize];
        let first = if route.is_full() { None } else { route.first(group.newest_first) };
        let head = first.map(|(_, rank)| rank);
        if head == route.head {
            return;
        }
        if let Some(rank) = route.head {
            group.heads.remove(&(rank, id));
        }
        if let Some(rank) = head {
            group.heads.insert((rank, id));
        }
        route.head = head;
    }

    /// Standing overload: from now on the newest goes first, for its client is still there.
    pub(crate) fn serve_newest(&mut self, name: GroupName) {
        let group = &mut self.groups[name as usize];
        if !group.newest_first {
            group.newest_first = true;
            let heads: Vec<_> = group.heads.iter().map(|&(_, id)| id).collect();
            heads.into_iter().for_each(|id| self.update_head(id));
        }
    }

    /// Ends a waiting request without a worker.
    pub(crate) fn drop_waiting(&mut self, request: RequestId, refusal: Refusal, actions: &mut Vec<Action>) {
        self.dequeue(request);
        self.calls.remove(request);
        self.live -= 1;
        actions.push(Action::Refuse(request, refusal));
    }

    /// Drops what has waited long enough or can no longer be of use.
    pub(crate) fn drop_expired(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for name in GroupName::ALL {
            while let Some(&(expires, request)) = self.groups[name as usize].expiries.first()
                && expires <= now
            {
                let late = self.calls.get(request).is_some_and(|call| call.is_past_deadline(now));
                let refusal = if late { Refusal::DeadlinePassed } else { Refusal::TimedOut };
                self.drop_waiting(request, refusal, actions);
            }
        }
    }
}

fn expiry(call: &Call, timeout: Duration) -> Duration {
    let expires = call.arrived.saturating_add(timeout);
    call.deadline.map_or(expires, |deadline| deadline.min(expires))
}
