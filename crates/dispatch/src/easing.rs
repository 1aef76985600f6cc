//! Calls that live long after they were heavy: a WebSocket that held the event loop once must not count as holding it for
//! hours. What such a call counts for follows the share of its life for which it was seen to hold the loop or to compute,
//! and its route learns that share at once, so that more calls of it can be placed.

use std::time::Duration;

use crate::{
    Dispatcher, RequestId, Sight, WorkerId,
    calls::{Call, Charge, Probe},
    worker::WHOLE,
};

/// How often a worker's calls are gone through.
const PAUSE: Duration = Duration::from_millis(250);

/// A call of this age has had the time to show what it is like.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// A call may do later what it has not done yet, as others of its route did, up to so many times their run time.
const AS_LONG_AS_OTHERS: u32 = 2;

/// Longest time from one look to the next that counts.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

impl Dispatcher {
    /// Counts for how long the calls that are running now have been seen to hold the loop or to compute.
    pub(crate) fn count_heavy(&mut self, now: Duration, id: WorkerId, sight: &Sight) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        let since_last = now.saturating_sub(worker.looked).min(LONGEST_PAUSE);
        worker.looked = now;
        for running in [sight.step, sight.threads].into_iter().flatten() {
            if let Some(call) = self.calls.placed_on(running.request, id) {
                call.heavy += running.elapsed.min(since_last);
            }
        }
    }

    /// Lowers what long-lived calls on the worker count for.
    pub(crate) fn ease(&mut self, now: Duration, id: WorkerId, sight: &Sight) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        if worker.charged.is_empty() || now.saturating_sub(worker.eased) < PAUSE {
            return;
        }
        worker.eased = now;
        let at_work = [sight.step, sight.threads].map(|running| running.map(|running| running.request));
        for request in worker.charged.clone() {
            if !at_work.contains(&Some(request)) {
                self.ease_call(now, request);
            }
        }
    }

    fn ease_call(&mut self, now: Duration, request: RequestId) {
        let Some(call) = self.calls.get(request).filter(|call| call.probe == Probe::No) else { return };
        let (route, age) = (call.route, now.saturating_sub(call.placed));
        let usual = Duration::from_secs_f32(self.routes[route.0 as usize].profile.saved().run_time.min(1e6));
        if age < SHOWN_AFTER || age < usual * AS_LONG_AS_OTHERS {
            return;
        }
        let Some((charge, share)) = eased(call, age) else { return };
        let holds = matches!(charge, Charge::Loop(_));
        self.with_route(now, route, |route| route.profile.saw_share(holds, share));
        self.recharge(request, charge, Probe::No);
    }
}

/// What a call of that age counts for, and the share of its life, if that is less than before.
fn eased(call: &Call, age: Duration) -> Option<(Charge, f32)> {
    let share = call.heavy.as_secs_f32() / age.as_secs_f32();
    let thousandths = (share * WHOLE as f32) as u32;
    match call.charge {
        Charge::Loop(before) if thousandths < before => Some((Charge::Loop(thousandths), share)),
        Charge::Threads(before) if thousandths < before => Some((Charge::Threads(thousandths), share)),
        _ => None,
    }
}
