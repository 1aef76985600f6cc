//! Which thread may start work: the state behind the pool's lock.
//!
//! Invariants:
//! - at most one thread is `awake`. Only that one takes calls from the queues; who has ended a call and finds another one
//!   awake sits down.
//! - while a call of an endpoint computes, no other call of that endpoint is taken. One that sleeps after it has
//!   computed does not compute.

use std::{collections::VecDeque, sync::Arc};

use super::{
    call::Call,
    seat::{Endpoint, Seat},
};

/// What a thread does next.
pub(crate) enum Next {
    Call(Box<Call>),
    /// Wait until it is woken.
    Sit,
    /// The pool is closed.
    Leave,
}

#[derive(Default)]
pub(crate) struct State {
    /// Calls that need a thread even when all are taken, since others may wait for what they release.
    urgent: VecDeque<Box<Call>>,
    queue: VecDeque<Box<Call>>,
    /// The thread that takes calls, or is being started to do so.
    awake: Option<u32>,
    /// Threads that are known to compute, and for which endpoint.
    computing: Vec<(u32, Endpoint)>,
    /// Those that sit; the one that sat down last is woken first, its stack is in the processor's cache.
    idle: Vec<Arc<Seat>>,
    pub(crate) seats: Vec<Arc<Seat>>,
    next_number: u32,
    closed: bool,
}

impl State {
    pub(crate) fn push(&mut self, call: Box<Call>, urgent: bool) {
        if urgent { self.urgent.push_back(call) } else { self.queue.push_back(call) }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.urgent.len() + self.queue.len()
    }

    fn may_run(&self, call: &Call) -> bool {
        call.endpoint == Endpoint(0) || self.computing.iter().all(|(_, endpoint)| *endpoint != call.endpoint)
    }

    /// Whether there is a call that may be started.
    fn has_startable(&self) -> bool {
        !self.urgent.is_empty() || self.queue.iter().any(|call| self.may_run(call))
    }

    /// The next call that may be started.
    fn take(&mut self) -> Option<Box<Call>> {
        if let Some(call) = self.urgent.pop_front() {
            return Some(call);
        }
        let position = self.queue.iter().position(|call| self.may_run(call))?;
        self.queue.remove(position)
    }

    pub(crate) fn is_awake(&self, seat: &Seat) -> bool {
        self.awake == Some(seat.number)
    }

    pub(crate) fn anyone_awake(&self) -> bool {
        self.awake.is_some()
    }

    /// Wakes a thread for what waits, unless one is awake. What is returned is a new seat that needs a thread.
    #[must_use]
    pub(crate) fn start_one(&mut self, limit: usize) -> Option<Arc<Seat>> {
        if self.awake.is_some() || !self.has_startable() {
            return None;
        }
        if self.wake_one() {
            return None;
        }
        if self.seats.len() >= limit && self.urgent.is_empty() {
            return None;
        }
        let seat = Arc::new(Seat::new(self.next_number));
        self.next_number = self.next_number.wrapping_add(1);
        self.awake = Some(seat.number);
        self.seats.push(Arc::clone(&seat));
        Some(seat)
    }

    /// Wakes a thread that sits, unless one is awake. False: there is none that could be woken.
    pub(crate) fn wake_one(&mut self) -> bool {
        if self.awake.is_some() {
            return false;
        }
        let Some(seat) = self.idle.pop() else {
            return false;
        };
        self.awake = Some(seat.number);
        seat.wake();
        true
    }

    /// What the thread of `seat` does next.
    pub(crate) fn next(&mut self, seat: &Arc<Seat>) -> Next {
        if self.awake.is_none() {
            self.awake = Some(seat.number);
        }
        if self.is_awake(seat) {
            if let Some(call) = self.take() {
                return Next::Call(call);
            }
            self.awake = None;
        }
        if self.closed {
            return Next::Leave;
        }
        self.idle.push(Arc::clone(seat));
        Next::Sit
    }

    /// The thread of `seat` sleeps in its call: another one may start.
    pub(crate) fn displace(&mut self, seat: &Seat) {
        if self.is_awake(seat) {
            self.awake = None;
        }
    }

    /// The thread of `seat` has computed for long: another one may start, but for the same endpoint.
    pub(crate) fn computes(&mut self, seat: &Seat, endpoint: Endpoint) {
        self.displace(seat);
        if !self.is_computing(seat) {
            self.computing.push((seat.number, endpoint));
        }
    }

    pub(crate) fn is_computing(&self, seat: &Seat) -> bool {
        self.computing.iter().any(|(number, _)| *number == seat.number)
    }

    /// The call of `seat` does not compute any more: it sleeps, or it has ended.
    pub(crate) fn rests(&mut self, seat: &Seat) {
        self.computing.retain(|(number, _)| *number != seat.number);
    }

    /// The thread of `seat` has sat long enough. True: it may end; else it was woken just now.
    pub(crate) fn leave_idle(&mut self, seat: &Seat) -> bool {
        let before = self.idle.len();
        self.idle.retain(|idle| idle.number != seat.number);
        self.idle.len() < before
    }

    /// The thread of `seat` is gone.
    pub(crate) fn remove(&mut self, seat: &Seat) {
        self.displace(seat);
        self.leave_idle(seat);
        self.seats.retain(|other| other.number != seat.number);
    }

    /// Those that sit may go, the others once nothing waits. No new thread is to be had.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.idle.drain(..).for_each(|seat| seat.wake());
    }
}
