//! How soon the interpreter takes the GIL from a thread that computes.
//!
//! By default after 5 ms, and the event loop has to ask for it in each of its turns; so while calls compute on threads,
//! the interval is short. At other times it is what it was: switching costs who computes.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use pyo3::{intern, prelude::*};

use crate::threads::Pool;

/// The interval while calls compute, in seconds.
const QUICK: f64 = 0.0005;

#[derive(Default)]
pub(crate) struct Switching {
    /// The interval that was set before it was shortened.
    before: Mutex<Option<f64>>,
    /// It is shortened, or about to be.
    asked: AtomicBool,
}

impl Switching {
    /// Whether it is to be shortened now. Asked by the watch thread, which cannot do it.
    pub(crate) fn ask(&self) -> bool {
        !self.asked.swap(true, Ordering::Relaxed)
    }

    /// Shortens the interval, if a call computes still.
    pub(crate) fn quicken(&self, py: Python<'_>, pool: &Pool) -> PyResult<()> {
        if !pool.computes() {
            self.asked.store(false, Ordering::Relaxed);
            return Ok(());
        }
        let mut before = self.before.lock();
        if before.is_some() {
            return Ok(());
        }
        let sys = py.import(intern!(py, "sys"))?;
        let interval: f64 = sys.call_method0(intern!(py, "getswitchinterval"))?.extract()?;
        if interval > QUICK {
            sys.call_method1(intern!(py, "setswitchinterval"), (QUICK,))?;
            *before = Some(interval);
        }
        Ok(())
    }

    /// No call computes any more.
    pub(crate) fn relax(&self, py: Python<'_>) -> PyResult<()> {
        self.asked.store(false, Ordering::Relaxed);
        let before = self.before.lock().take();
        if let Some(interval) = before {
            let sys = py.import(intern!(py, "sys"))?;
            sys.call_method1(intern!(py, "setswitchinterval"), (interval,))?;
        }
        Ok(())
    }
}
