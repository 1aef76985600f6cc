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
    /// The watch thread pauses for longer than that.
    pauses: bool,
}

impl Nudge {
    /// Pauses; a nudge ends it.
    pub(crate) fn wait(&self, pause: Duration) {
        let mut state = self.state.lock();
        state.pauses = pause > super::WAITING;
        if !state.wanted {
            self.signal.wait_for(&mut state, pause);
        }
        let nudged = std::mem::take(&mut state.wanted);
        state.pauses = false;
        drop(state);
        if nudged {
            // What was submitted just now has not had time to show whether it sleeps.
            std::thread::sleep(super::WAITING);
        }
    }

    /// Wants a look soon.
    pub(crate) fn nudge(&self) {
        let mut state = self.state.lock();
        if state.pauses && !state.wanted {
            state.wanted = true;
            self.signal.notify_one();
        }
    }
}
