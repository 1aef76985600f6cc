//! Ends the watch thread's pause before its time.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Shared by the watch thread and those who want it to look.
#[derive(Default)]
pub(crate) struct Nudge {
    state: Mutex<State>,
    signal: Condvar,
}

#[derive(Default)]
struct State {
    /// Somebody wants a look within [`super::WAITING`].
    wanted: bool,
    /// The watch thread pauses for no longer than that: it need not be told.
    soon: bool,
}

impl Nudge {
    /// Pauses; a nudge ends it.
    pub(crate) fn wait(&self, pause: Duration) {
        let mut state = self.state.lock();
        state.soon = pause <= super::WAITING;
        // What came while it looked may have come too late for that look.
        state.wanted &= !state.soon;
        if !state.wanted {
            self.signal.wait_for(&mut state, pause);
        }
        let nudged = std::mem::take(&mut state.wanted);
        state.soon = false;
        drop(state);
        if nudged {
            // What was submitted just now has not had time to show whether it sleeps.
            std::thread::sleep(super::WAITING);
        }
    }

    /// Wants a look soon.
    pub(crate) fn nudge(&self) {
        let mut state = self.state.lock();
        if !state.soon && !state.wanted {
            state.wanted = true;
            self.signal.notify_one();
        }
    }
}
