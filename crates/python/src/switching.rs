//! How soon the interpreter takes the GIL from a thread that computes.
//!
//! By default after 5 ms, and the event loop has to ask for it in each of its turns; so while calls compute on threads,
//! the interval is short. At other times it is what it was: switching costs who computes.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use pyo3::{intern, prelude::*};

/// The interval while calls compute, in seconds.
const QUICK: f64 = 0.0005;

#[derive(Default)]
pub(crate) struct Switching {
    /// The interval that was set before it was shortened.
    before: Mutex<Option<f64>>,
    /// It is to be short.
    short: AtomicBool,
}

impl Switching {
    /// Says whether calls compute. True: that has changed, so [`Self::set`] is to be called by who can do it.
    pub(crate) fn ask(&self, computes: bool) -> bool {
        self.short.swap(computes, Ordering::Relaxed) != computes
    }

    /// Sets the interval as it is to be now. Only one thread may do so; the lock is not held while Python code may run.
    pub(crate) fn set(&self, py: Python<'_>) -> PyResult<()> {
        let short = self.short.load(Ordering::Relaxed);
        let before = *self.before.lock();
        let sys = py.import(intern!(py, "sys"))?;
        match before {
            None if short => {
                let interval: f64 = sys.call_method0(intern!(py, "getswitchinterval"))?.extract()?;
                if interval > QUICK {
                    sys.call_method1(intern!(py, "setswitchinterval"), (QUICK,))?;
                    *self.before.lock() = Some(interval);
                }
            }
            Some(interval) if !short => {
                sys.call_method1(intern!(py, "setswitchinterval"), (interval,))?;
                *self.before.lock() = None;
            }
            _ => {}
        }
        Ok(())
    }
}
