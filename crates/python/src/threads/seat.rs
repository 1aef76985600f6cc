//! A thread's place in the pool: how it is woken, and what others may see of it.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use andon_wire::state::Step;
use parking_lot::{Condvar, Mutex};

use crate::probe::{Activity, Probe};

/// A call that runs on a thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    /// The exchange it belongs to (none: slot [`andon_wire::frame::NO_SLOT`]), and when it began.
    pub(crate) step: Step,
    /// CPU time of the thread when it began, to within a millisecond.
    pub(crate) processor: u64,
    /// The same when it was seen asleep last; before that, when it began.
    pub(crate) rested: u64,
    /// The endpoint for which it is made.
    pub(crate) endpoint: Endpoint,
}

/// Tells calls of one endpoint from those of others: the address of the endpoint's object; 0: not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint(pub(crate) usize);

/// What the watch thread saw of a thread when it looked last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glimpse {
    pub(crate) since: u64,
    pub(crate) at: u64,
    pub(crate) processor: u64,
}

/// A thread's place.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) number: u32,
    woken: Mutex<bool>,
    signal: Condvar,
    running: Mutex<Option<Running>>,
    probe: OnceLock<Probe>,
    /// The identifier that Python has for the thread.
    identifier: OnceLock<u64>,
    /// Only the watch thread uses it.
    pub(crate) asleep: Mutex<Option<Glimpse>>,
}

impl Seat {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            woken: Mutex::new(false),
            signal: Condvar::new(),
            running: Mutex::new(None),
            probe: OnceLock::new(),
            identifier: OnceLock::new(),
            asleep: Mutex::new(None),
        }
    }

    /// The calling thread takes this place; `identifier`: what Python calls it.
    pub(crate) fn take(&self, identifier: u64) {
        self.probe.get_or_init(Probe::of_this_thread);
        self.identifier.get_or_init(|| identifier);
    }

    /// Lets the thread look for work.
    pub(crate) fn wake(&self) {
        *self.woken.lock() = true;
        self.signal.notify_one();
    }

    /// Waits until it is woken. False: `patience` is over.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut woken = self.woken.lock();
        while !*woken {
            if self.signal.wait_until(&mut woken, end).timed_out() && !*woken {
                return false;
            }
        }
        *woken = false;
        true
    }

    pub(crate) fn set_running(&self, running: Option<Running>) {
        *self.running.lock() = running;
    }

    pub(crate) fn running(&self) -> Option<Running> {
        *self.running.lock()
    }

    /// The call sleeps: what it has computed so far is over. Nothing happens if it has ended.
    pub(crate) fn set_rested(&self, step: Step) {
        let processor = self.processor().unwrap_or_default();
        if let Some(running) = self.running.lock().as_mut().filter(|running| running.step == step) {
            running.rested = processor;
        }
    }

    /// CPU time of the thread; `None` before it runs, or where the system does not tell.
    pub(crate) fn processor(&self) -> Option<u64> {
        self.probe.get()?.processor()
    }

    pub(crate) fn activity(&self) -> Activity {
        self.probe.get().map_or(Activity::Unknown, Probe::activity)
    }

    pub(crate) fn identifier(&self) -> Option<u64> {
        self.identifier.get().copied()
    }
}
