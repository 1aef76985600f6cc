//! The watch thread: sees from outside, and without the GIL, what the worker does.
//!
//! It publishes CPU times for the front ([`andon_wire::state::Sight`]), lets the pool start another call where one
//! sleeps, and has stalls reported. Nothing is done for it per request but the stores that the front needs anyway.

mod classify;
pub(crate) mod hangup;
mod nudge;

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use andon_wire::{
    stall::StallKind,
    state::{Seen, Sight, Step},
};

pub(crate) use nudge::Nudge;

use crate::{
    clock,
    errands::Errand,
    probe::Activity,
    serving::Serving,
    stall::{Culprit, Order},
    threads::Look,
};
use classify::Following;

/// Between two looks when nothing has happened for [`IDLE_AFTER`].
const IDLE: Duration = Duration::from_millis(50);
/// Between two looks otherwise.
const BUSY: Duration = Duration::from_millis(5);
/// While calls wait for a thread.
const WAITING: Duration = Duration::from_millis(1);
/// While the thread before them seems to sleep.
const DOZING: Duration = Duration::from_micros(250);

/// In nanoseconds.
const IDLE_AFTER: u64 = 1_000_000_000;
/// A step is looked at more closely when it has lasted for so many nanoseconds.
const CLOSELY_AFTER: u64 = 10_000_000;
/// A stall for which only the machine is to blame is told once it has lasted so many times as long as others.
const STARVED_FOR: u64 = 10;
/// If the stack is not there after so many nanoseconds more, the front is told without.
const STACK_PATIENCE: u64 = 50_000_000;

struct Watch {
    serving: Arc<Serving>,
    /// In nanoseconds.
    report_after: u64,
    turns: u64,
    /// When something was seen to happen last.
    active: u64,
    looked: u64,
    following: Option<Following>,
    order: Option<Order>,
    published: bool,
}

/// Starts the watch thread. Stalls are reported when they have lasted for `report_after`.
pub(crate) fn start(serving: Arc<Serving>, report_after: Duration) -> std::io::Result<()> {
    let report_after = u64::try_from(report_after.as_nanos()).unwrap_or(u64::MAX);
    let mut watch = Watch {
        serving,
        report_after,
        turns: 0,
        active: 0,
        looked: clock::monotonic(),
        following: None,
        order: None,
        published: false,
    };
    thread::Builder::new().name("andon-watch".to_owned()).stack_size(128 * 1024).spawn(move || {
        while !watch.serving.errands().is_closed() {
            let pause = watch.look();
            watch.serving.nudge().wait(pause);
        }
    })?;
    Ok(())
}

impl Watch {
    /// Looks at everything once. Returns when to look again.
    fn look(&mut self) -> Duration {
        let now = clock::monotonic();
        let calls = self.serving.pool().look(now);
        let (step, turns) = (self.serving.step(), self.serving.turns());
        let seen = self.follow(step, turns, now, &calls);
        self.publish(seen, &calls);
        self.serving.set_pace(calls.computes);
        if turns != self.turns || step.is_some() || calls.calls > 0 {
            self.active = now;
        }
        self.turns = turns;
        self.looked = now;
        match calls {
            Look { dozes: true, waiting: 1.., .. } => DOZING,
            Look { waiting: 1.., .. } => WAITING,
            _ if now - self.active > IDLE_AFTER => IDLE,
            _ => BUSY,
        }
    }

    fn publish(&mut self, step: Option<Seen>, calls: &Look) {
        let thread = calls.busiest.as_ref().map(|(_, seen)| *seen);
        let sight = Sight { step, thread, calls: calls.calls, waiting: calls.waiting };
        let empty = sight == Sight::default();
        if !(empty && self.published) {
            self.serving.publish(&sight);
        }
        self.published = empty;
    }

    /// Follows the step on the event loop, or what the loop does outside of steps.
    fn follow(&mut self, step: Option<Step>, turns: u64, now: u64, calls: &Look) -> Option<Seen> {
        let activity = match step {
            Some(step) if now.saturating_sub(step.since) < CLOSELY_AFTER => Activity::Unknown,
            _ => self.serving.meter().probe().activity(),
        };
        let mut following = match self.following.take() {
            Some(following) if following.is_same(step, turns, activity) => following,
            _ => {
                self.order = None;
                Following::begin(self.serving.meter(), step, turns, activity, now)?
            }
        };
        following.look(self.serving.meter(), activity, now, now - self.looked);
        // On a busy machine the step is looked at again until it has taken long itself.
        let patience = if following.kind(now) == StallKind::Starved { STARVED_FOR } else { 1 };
        let long = following.elapsed(now) >= self.report_after.saturating_mul(patience);
        if long && following.holds() && self.serving.serves() {
            self.report(&following, now, calls);
        }
        let seen = following.seen();
        self.following = Some(following);
        seen
    }

    fn report(&mut self, following: &Following, now: u64, calls: &Look) {
        match &self.order {
            // That the machine was busy as well does not hide what the code does later.
            Some(order) if order.kind != StallKind::Starved || following.kind(now) == StallKind::Starved => {
                let late = following.elapsed(now) >= self.report_after + STACK_PATIENCE;
                if late && !order.told.swap(true, Ordering::Relaxed) {
                    order.tell(&self.serving);
                }
            }
            _ => {
                let order = self.order_for(following, now, calls);
                self.serving.errands().send(Errand::Report(order.clone()));
                self.order = Some(order);
            }
        }
    }

    fn order_for(&self, following: &Following, now: u64, calls: &Look) -> Order {
        let kind = following.kind(now);
        let order = Order {
            culprit: Culprit::EventLoop,
            kind,
            step: following.name(),
            processor: following.processor(),
            system_call: following.system_call(),
            told: Arc::default(),
        };
        match &calls.busiest {
            Some((seat, seen)) if kind == StallKind::GilHeld => Order {
                culprit: Culprit::Thread(Arc::clone(seat)),
                step: seen.step,
                processor: seen.processor,
                system_call: String::new(),
                ..order
            },
            _ => order,
        }
    }
}
