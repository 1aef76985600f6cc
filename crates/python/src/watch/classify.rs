//! What kind of stall a step is, from what was seen of its thread.

use andon_wire::{
    Excuses,
    frame::NO_SLOT,
    stall::StallKind,
    state::{Seen, Step},
};

use crate::{
    meter::{Meter, excused},
    probe::{Activity, system_call_name, waits_for_events},
};

/// Of a stall on a starved machine the code is blamed if it took at least so long itself, in nanoseconds.
const OWN_PART: u64 = 50_000_000;

/// A step on the event loop, or a wait of the loop outside of steps, that was seen more than once.
pub(super) struct Following {
    step: Option<Step>,
    turns: u64,
    since: u64,
    starved_before: u64,
    collected_before: u64,
    processor_before: u64,
    processor: u64,
    starved: u64,
    collected: u64,
    waited_for_gil: u64,
    lasted: u64,
    activity: Activity,
}

impl Following {
    /// Begins to follow. `None`: the loop waits for events, or runs for no exchange, of which nothing can be said.
    pub(super) fn begin(meter: &Meter, step: Option<Step>, turns: u64, activity: Activity, now: u64) -> Option<Self> {
        let stands = matches!(activity, Activity::Waits(call) if !waits_for_events(call));
        if step.is_none() && !stands && activity != Activity::WaitsForGil {
            return None;
        }
        Some(Self {
            step,
            turns,
            since: step.map_or(now, |step| step.since),
            starved_before: meter.probe().starved().unwrap_or_default(),
            collected_before: meter.collected(now),
            processor_before: meter.probe().processor().unwrap_or_default(),
            processor: 0,
            starved: 0,
            collected: 0,
            waited_for_gil: 0,
            lasted: 0,
            activity,
        })
    }

    /// Whether this is still going on.
    pub(super) fn is_same(&self, step: Option<Step>, turns: u64, activity: Activity) -> bool {
        let stands = step.is_some() || activity == self.activity;
        self.step == step && self.turns == turns && stands
    }

    /// Takes in what the thread does now. `pause`: nanoseconds since the last look.
    pub(super) fn look(&mut self, meter: &Meter, activity: Activity, now: u64, pause: u64) {
        let elapsed = self.elapsed(now);
        let used = match self.step {
            Some(_) => meter.processor_in_step(),
            None => meter.probe().processor().map(|processor| processor.saturating_sub(self.processor_before)),
        };
        self.processor = used.unwrap_or_default().min(elapsed);
        self.activity = activity;
        self.lasted = elapsed;
        if elapsed < super::CLOSELY_AFTER {
            return;
        }
        self.collected = meter.collected(now).saturating_sub(self.collected_before);
        self.starved = meter.probe().starved().map_or(0, |starved| starved.saturating_sub(self.starved_before));
        if activity == Activity::WaitsForGil {
            self.waited_for_gil += pause.min(elapsed);
            meter.add_wait_for_gil(pause.min(elapsed));
        }
    }

    /// How long it has lasted, in nanoseconds.
    pub(super) fn elapsed(&self, now: u64) -> u64 {
        now.saturating_sub(self.since)
    }

    pub(super) fn processor(&self) -> u64 {
        self.processor
    }

    /// The step as the front is told of it.
    pub(super) fn name(&self) -> Step {
        self.step.unwrap_or(Step { slot: NO_SLOT, generation: 0, since: self.since })
    }

    /// For the state words; `None` outside of steps.
    pub(super) fn seen(&self) -> Option<Seen> {
        let excuses = Excuses::NONE
            .with(Excuses::GARBAGE_COLLECTION, excused(self.collected, self.lasted))
            .with(Excuses::STARVED, excused(self.starved, self.lasted))
            .with(Excuses::GIL, excused(self.waited_for_gil, self.lasted));
        Some(Seen { step: self.step?, processor: self.processor, excuses })
    }

    /// Whether it holds the loop: outside of steps, many short system calls look like one long one.
    pub(super) fn holds(&self) -> bool {
        self.step.is_some() || self.processor.saturating_mul(5) < self.lasted
    }

    /// The greatest part of its time decides. Collections do if there is little else: code that makes many objects has
    /// them collected, too.
    pub(super) fn kind(&self, now: u64) -> StallKind {
        let elapsed = self.elapsed(now);
        // First of all: while the thread waits for a processor, everything takes long. What is left is the code's own.
        let starved = self.starved_until(elapsed);
        let elapsed = elapsed.saturating_sub(starved);
        if starved > elapsed && elapsed < OWN_PART {
            return StallKind::Starved;
        }
        if excused(self.collected, elapsed) {
            return StallKind::GarbageCollection;
        }
        let parts = [(StallKind::GilHeld, self.waited_for_gil), (StallKind::Computing, self.processor)];
        let half = |(_, part): &&(StallKind, u64)| part.saturating_mul(2) > elapsed;
        parts.iter().find(half).map_or(StallKind::Blocked, |(kind, _)| *kind)
    }

    /// How long it has waited for a processor. The system adds a wait only when it is over; until then the thread is seen
    /// as one that runs, and does not.
    fn starved_until(&self, elapsed: u64) -> u64 {
        match self.activity {
            Activity::Running => elapsed.saturating_sub(self.processor + self.waited_for_gil).max(self.starved),
            _ => self.starved,
        }
    }

    /// The system call in which it waits now; empty if it is in none.
    pub(super) fn system_call(&self) -> String {
        match self.activity {
            Activity::Waits(number) => system_call_name(number),
            _ => String::new(),
        }
    }
}
