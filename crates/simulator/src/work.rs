//! What one request does in its worker.

use std::time::Duration;

/// A part of a request's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Holds the event loop, computing or blocked in a call.
    Hold {
        /// For so long.
        time: Duration,
        /// On the processor.
        computes: bool,
    },
    /// Suspended for so long; the loop is free.
    Suspend(Duration),
    /// Computes on a thread for so long.
    Compute(Duration),
    /// Waits on a thread for so long, without the GIL.
    Wait(Duration),
}

/// The parts in order. The first one is on the event loop.
pub type Work = Vec<Step>;

impl Step {
    /// Computes on the event loop.
    pub fn compute(time: Duration) -> Self {
        Self::Hold { time, computes: true }
    }

    /// Blocks the event loop in a call.
    pub fn block(time: Duration) -> Self {
        Self::Hold { time, computes: false }
    }

    /// The same on a thread, as offloading does it.
    pub fn on_thread(self) -> Self {
        match self {
            Self::Hold { time, computes: true } => Self::Compute(time),
            Self::Hold { time, computes: false } => Self::Wait(time),
            other => other,
        }
    }
}
