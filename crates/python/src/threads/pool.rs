//! The pool: queue, threads, and what comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use andon_wire::state::{Seen, Step};
use parking_lot::Mutex;

use super::{
    call::{Call, Done},
    seat::{Glimpse, Running, Seat},
    state::{Next, State},
};
use crate::probe::Activity;

/// A thread that has sat for so long ends.
const PATIENCE: Duration = Duration::from_secs(10);

/// A thread that used less than one part in so many of the time between two looks, and was in a system call both times,
/// sleeps.
const ASLEEP_BELOW: u64 = 5;

/// A call that has used so many nanoseconds of CPU time since it was seen asleep last computes.
const COMPUTES_FROM: u64 = 10_000_000;

/// What asks others to act for the pool, which itself knows neither Python nor the watch thread.
pub(crate) trait Surroundings: Send + Sync {
    /// A thread is wanted for this seat.
    fn spawn(&self, seat: Arc<Seat>);
    /// Calls wait: the watch thread should look soon.
    fn calls_wait(&self);
}

pub(crate) struct Pool {
    limit: usize,
    state: Mutex<State>,
    /// Several calls are being submitted: none is started before the last.
    gathers: AtomicBool,
    done: Mutex<Vec<Done>>,
    surroundings: Box<dyn Surroundings>,
}

/// What the watch thread sees of the pool.
#[derive(Default)]
pub(crate) struct Look {
    /// The call that has used most CPU time.
    pub(crate) busiest: Option<(Arc<Seat>, Seen)>,
    pub(crate) calls: u32,
    pub(crate) waiting: u32,
    /// A call computes.
    pub(crate) computes: bool,
    /// A thread looks as if it slept: look again soon.
    pub(crate) dozes: bool,
}

impl Pool {
    /// `limit`: most threads, but for calls that are urgent.
    pub(crate) fn new(limit: usize, surroundings: Box<dyn Surroundings>) -> Self {
        Self { limit, state: Mutex::default(), gathers: AtomicBool::new(false), done: Mutex::default(), surroundings }
    }

    // The event loop's thread

    /// Takes in a call and starts it if no thread is awake.
    pub(crate) fn submit(&self, call: Box<Call>, urgent: bool) {
        self.state.lock().push(call, urgent);
        if !self.gathers.load(Ordering::Relaxed) {
            self.start();
        }
    }

    /// Calls submitted from now on wait for [`Self::start`]: a burst then costs one hand-over of the GIL.
    pub(crate) fn gather(&self) {
        self.gathers.store(true, Ordering::Relaxed);
    }

    /// Starts what waits, if no thread is awake.
    pub(crate) fn start(&self) {
        self.gathers.store(false, Ordering::Relaxed);
        let (wanted, waits) = {
            let mut state = self.state.lock();
            if state.waiting() == 0 {
                return;
            }
            let asleep = !state.anyone_awake();
            (state.start_one(self.limit), !asleep || state.waiting() > 1)
        };
        if let Some(seat) = wanted {
            self.surroundings.spawn(seat);
        }
        if waits {
            self.surroundings.calls_wait();
        }
    }

    /// What has come back since the last time.
    pub(crate) fn take_done(&self) -> Vec<Done> {
        std::mem::take(&mut *self.done.lock())
    }

    pub(crate) fn close(&self) {
        self.state.lock().close();
    }

    // The pool's threads

    pub(crate) fn seat(&self, number: u32) -> Option<Arc<Seat>> {
        self.state.lock().seats.iter().find(|seat| seat.number == number).cloned()
    }

    pub(crate) fn next(&self, seat: &Arc<Seat>) -> Next {
        self.state.lock().next(seat)
    }

    /// Sits until there is work. False: the thread may end.
    pub(crate) fn sit(&self, seat: &Arc<Seat>) -> bool {
        while !seat.wait(PATIENCE) {
            if self.state.lock().leave_idle(seat) {
                return false;
            }
        }
        true
    }

    /// Keeps a result. True: the event loop must be told, it knows of none so far.
    pub(crate) fn put_done(&self, done: Done) -> bool {
        let mut all = self.done.lock();
        all.push(done);
        all.len() == 1
    }

    /// A call on the thread of `seat` has ended.
    pub(crate) fn ended(&self, seat: &Seat) {
        let mut state = self.state.lock();
        seat.set_running(None);
        state.rests(seat);
    }

    /// The thread of `seat` ends.
    pub(crate) fn remove(&self, seat: &Seat) {
        self.state.lock().remove(seat);
        self.start();
    }

    /// The thread of `seat` could not be started. What waits is started as others end. False: there are no others.
    pub(crate) fn give_up(&self, seat: &Seat) -> bool {
        let mut state = self.state.lock();
        state.remove(seat);
        // Who has ended a call meanwhile has found this one awake.
        state.wake_one();
        !state.seats.is_empty()
    }

    // The watch thread

    /// Looks at every running call, and starts another one if the awake thread sleeps.
    pub(crate) fn look(&self, now: u64) -> Look {
        let (seats, waiting) = {
            let state = self.state.lock();
            (state.seats.clone(), state.waiting())
        };
        let mut look = Look { waiting: waiting as u32, calls: waiting as u32, ..Look::default() };
        for seat in seats {
            let Some(running) = seat.running() else {
                continue;
            };
            look.calls += 1;
            let processor = seat.processor().unwrap_or_default();
            let used = processor.saturating_sub(running.processor);
            if processor.saturating_sub(running.rested) < COMPUTES_FROM {
                look.dozes |= self.displace_if_asleep(&seat, &running, now);
            } else if !self.rests(&seat, &running, now) {
                look.computes = true;
                self.let_others_go_ahead(&seat, &running);
            }
            look.consider(seat, &running, used);
        }
        look
    }

    fn let_others_go_ahead(&self, seat: &Seat, running: &Running) {
        let mut state = self.state.lock();
        // It may have ended since.
        let lasts = seat.running().is_some_and(|now| now.step == running.step);
        if lasts && !state.is_computing(seat) {
            state.computes(seat, running.endpoint);
            drop(state);
            self.start();
        }
    }

    /// True: a call that has computed sleeps now. Another one of its endpoint may start.
    fn rests(&self, seat: &Seat, running: &Running, now: u64) -> bool {
        if asleep(seat, running, now) != Asleep::Yes {
            return false;
        }
        {
            let mut state = self.state.lock();
            seat.set_rested(running.step);
            state.rests(seat);
            state.displace(seat);
        }
        self.start();
        true
    }

    /// True: it may sleep, which the next look decides, or another one was started just now.
    fn displace_if_asleep(&self, seat: &Seat, running: &Running, now: u64) -> bool {
        if !self.state.lock().is_awake(seat) {
            return false;
        }
        let asleep = asleep(seat, running, now);
        if asleep == Asleep::Yes {
            self.state.lock().displace(seat);
            self.start();
        }
        asleep != Asleep::No
    }
}

/// Whether a thread sleeps in its call.
#[derive(PartialEq, Eq)]
enum Asleep {
    No,
    /// It was not seen so before: the next look decides.
    Perhaps,
    Yes,
}

fn asleep(seat: &Seat, running: &Running, now: u64) -> Asleep {
    let before = seat.asleep.lock().take();
    let processor = seat.processor().unwrap_or_default();
    // Where the system tells nothing more, its CPU clock has to do; one that waits for the GIL looks the same. Where
    // there is no clock of single threads either, each counts as asleep: else calls could wait for each other forever.
    if matches!(seat.activity(), Activity::Running | Activity::WaitsForGil) {
        return Asleep::No;
    }
    let slept = before.is_some_and(|before| {
        let used = processor.saturating_sub(before.processor);
        before.since == running.step.since && used * ASLEEP_BELOW < now - before.at
    });
    if slept {
        return Asleep::Yes;
    }
    *seat.asleep.lock() = Some(Glimpse { since: running.step.since, at: now, processor });
    Asleep::Perhaps
}

impl Look {
    fn consider(&mut self, seat: Arc<Seat>, running: &Running, processor: u64) {
        let seen = Seen { step: running.step, processor, ..Seen::default() };
        if self.busiest.as_ref().is_none_or(|(_, busiest)| busiest.processor < processor) {
            self.busiest = Some((seat, seen));
        }
    }
}

/// What belongs to no exchange.
pub(crate) fn nobody(since: u64) -> Step {
    Step { slot: andon_wire::frame::NO_SLOT, generation: 0, since }
}
