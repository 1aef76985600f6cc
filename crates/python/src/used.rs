//! What an exchange has used so far: added up by the event loop's thread and by the pool's threads.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use andon_wire::Usage;
use parking_lot::Mutex;

use crate::meter::Cost;

/// What an exchange has used so far.
#[derive(Default)]
pub(crate) struct Used {
    usage: Mutex<Usage>,
    /// Whether the front has been told ahead of the answer.
    told: AtomicBool,
}

impl Used {
    /// A step on the event loop has ended.
    pub(crate) fn add_step(&self, cost: Cost) {
        let mut usage = self.usage.lock();
        let wall = Duration::from_nanos(cost.wall);
        usage.loop_total += wall;
        usage.loop_processor += Duration::from_nanos(cost.processor);
        if wall > usage.loop_longest {
            usage.loop_longest = wall;
            usage.excuses = cost.excuses;
        }
    }

    /// A call on a thread has ended. In nanoseconds.
    pub(crate) fn add_thread(&self, wall: u64, processor: u64) {
        let mut usage = self.usage.lock();
        usage.thread_total += Duration::from_nanos(wall);
        usage.thread_processor += Duration::from_nanos(processor);
    }

    pub(crate) fn usage(&self) -> Usage {
        *self.usage.lock()
    }

    /// True the first time.
    pub(crate) fn tell_once(&self) -> bool {
        !self.told.swap(true, Ordering::Relaxed)
    }
}

impl Clone for Used {
    fn clone(&self) -> Self {
        Self { usage: Mutex::new(self.usage()), told: AtomicBool::new(true) }
    }
}
