//! What was learned of a route from its calls: which of them held the event loop or the GIL, and for how much of their
//! time. Windowed by count and by time, never since the start, so that a route which gets better is released.
//!
//! A *score* is the exponentially decayed count of calls that did so: a call that did not takes a 32nd of it away, and
//! ten minutes without any halve it. At a quarter or more the route counts as one that does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Executor, Usage};

/// From this score on a route counts as one that does it. One such call is forgotten after 44 others.
const DOES: f32 = 0.25;
/// What one call that does not takes away of the score.
const FORGOTTEN_PER_CALL: f32 = 1.0 / 32.0;
/// A score halves in this time, so that a route is tried again; a look after two halvings finds it unknown.
const HALF_LIFE: Duration = Duration::from_secs(600);
/// What the first call of a route in a worker adds: it may have imported modules, so it is soon forgotten.
const FIRST_CALL: f32 = 0.3;
/// Weight of the newest call in averages.
const NEWEST: f32 = 1.0 / 8.0;
/// Work on a thread computes when it spends more than this share of its time on a processor. Not much, since other
/// processes may want the processors as well: of two that compute on one processor each gets half.
const COMPUTING_SHARE: f32 = 0.2;
/// A step that held the event loop would compute on a thread when it spent more than this share of it on a processor.
const COMPUTING_STEP: f32 = 0.5;
/// Work on a thread that computes for less is not worth counting, in seconds.
const BRIEF: f32 = 0.0005;
/// Scores stop growing here, so that a route is released after a bounded number of better calls: 88.
const HIGHEST_SCORE: f32 = 4.0;
/// Thread work is worth a class of its own from this wall time on.
const WAITING_AFTER: f32 = 0.001;
/// And if it is more than this share of the call: a WebSocket that uses a thread now and then does not occupy one.
const WAITING_SHARE: f32 = 0.1;

/// What kind of work the calls of a route are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// No call has ended its first step.
    Unknown,
    /// A first step has ended without holding the event loop; whether a thread computes is not known yet.
    Trial,
    /// Leaves loop and GIL to others.
    Light,
    /// Waits on a thread.
    WaitsOnThread,
    /// A step holds the event loop.
    HoldsLoop,
    /// Computes on a thread, and so holds the GIL.
    Computes,
    /// The same, but not for long.
    ComputesBriefly,
}

impl Class {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Trial => "trial",
            Self::Light => "light",
            Self::WaitsOnThread => "waits-on-thread",
            Self::HoldsLoop => "holds-loop",
            Self::Computes => "computes",
            Self::ComputesBriefly => "computes-briefly",
        }
    }
}

/// What was learned of a route, for showing it and for keeping it over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedProfile {
    /// Calls that were measured.
    pub calls: u64,
    /// Decayed count of calls that held the event loop.
    pub hold_score: f32,
    /// Decayed count of calls that computed on a thread.
    pub compute_score: f32,
    /// Average share of its time for which a call that holds the event loop does so, 0 to 1.
    pub hold_share: f32,
    /// Average share of those steps that was spent on a processor, 0 to 1.
    pub hold_processor_share: f32,
    /// Average share of its time for which a call that computes on a thread does so, 0 to 1.
    pub compute_share: f32,
    /// Average time from start to end, in seconds.
    pub run_time: f32,
    /// Average longest step on the event loop, in seconds.
    pub longest_step: f32,
    /// Average time on threads, in seconds.
    pub thread_time: f32,
    /// Average processor time of that, in seconds.
    pub thread_processor: f32,
}

/// What is known of a route.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    learned: SavedProfile,
    /// When the scores were last touched.
    scored: Duration,
    /// What was learned is not too old.
    known: bool,
    /// A call has ended its first step.
    stepped: bool,
    /// A call has run for long without holding loop or GIL.
    quiet: bool,
}

/// How a call ran, for learning from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lesson {
    pub(crate) usage: Usage,
    /// From being placed to its end.
    pub(crate) run_time: Duration,
    pub(crate) executor: Executor,
    /// It has been counted by [`Profile::saw_holding`] already.
    pub(crate) seen_holding: bool,
    /// It has been counted by [`Profile::saw_computing`] already.
    pub(crate) seen_computing: bool,
}

impl Profile {
    pub(crate) fn restore(saved: SavedProfile, now: Duration) -> Self {
        Self { learned: saved, scored: now, known: saved.calls > 0, ..Self::default() }
    }

    pub(crate) fn saved(&self) -> SavedProfile {
        self.learned
    }

    pub(crate) fn class(&self) -> Class {
        let learned = &self.learned;
        if learned.hold_score >= DOES {
            Class::HoldsLoop
        } else if learned.compute_score >= DOES {
            Class::Computes
        } else if self.known && self.computes_briefly() {
            Class::ComputesBriefly
        } else if self.known || self.quiet {
            let waits = learned.thread_time >= WAITING_AFTER.max(WAITING_SHARE * learned.run_time);
            if waits { Class::WaitsOnThread } else { Class::Light }
        } else if self.stepped {
            Class::Trial
        } else {
            Class::Unknown
        }
    }

    fn computes_briefly(&self) -> bool {
        let learned = &self.learned;
        learned.thread_processor >= BRIEF && learned.thread_processor > COMPUTING_SHARE * learned.thread_time
    }

    /// The class of a route that is run on threads whether it holds the event loop or not.
    pub(crate) fn class_on_thread(&self) -> Class {
        let learned = &self.learned;
        let never_there = learned.thread_time == 0.0;
        if learned.compute_score >= DOES || (never_there && learned.hold_processor_share > COMPUTING_STEP) {
            Class::Computes
        } else if self.computes_briefly() {
            Class::ComputesBriefly
        } else {
            Class::WaitsOnThread
        }
    }

    /// A running call has held the event loop for long; that counts at once.
    pub(crate) fn saw_holding(&mut self, processor_share: f32, now: Duration) {
        self.scored = now;
        add_score(&mut self.learned.hold_score, 1.0);
        self.learned.hold_processor_share = processor_share;
    }

    /// A running call has computed on a thread for long; that counts at once.
    pub(crate) fn saw_computing(&mut self, now: Duration) {
        self.scored = now;
        add_score(&mut self.learned.compute_score, 1.0);
    }

    /// A call that lives long has held the event loop, or computed, for this share of its life so far.
    pub(crate) fn saw_share(&mut self, holds: bool, share: f32) {
        let known = if holds { &mut self.learned.hold_share } else { &mut self.learned.compute_share };
        // Zero stands for nothing known.
        if *known <= 0.0 || share < *known {
            *known = share.max(f32::MIN_POSITIVE);
        }
    }

    /// A call has ended its first step without holding the event loop.
    pub(crate) fn saw_step_end(&mut self) {
        self.stepped = true;
    }

    /// A call has run for long and was not seen to hold anything.
    pub(crate) fn saw_quiet(&mut self) {
        self.quiet = true;
    }

    /// Time halves the scores. A route that was heavy and is so no longer by time alone is unknown again.
    pub(crate) fn fade(&mut self, now: Duration) {
        let learned = &mut self.learned;
        let age = now.saturating_sub(self.scored);
        if age < HALF_LIFE || (learned.hold_score == 0.0 && learned.compute_score == 0.0) {
            return;
        }
        self.scored = now;
        let kept = 0.5_f32.powf(age.as_secs_f32() / HALF_LIFE.as_secs_f32());
        let was_heavy = learned.hold_score >= DOES || learned.compute_score >= DOES;
        learned.hold_score *= kept;
        learned.compute_score *= kept;
        if was_heavy && learned.hold_score < DOES && learned.compute_score < DOES {
            (self.known, self.stepped, self.quiet) = (false, false, false);
        }
    }

    /// A call has ended.
    pub(crate) fn learn(&mut self, lesson: &Lesson, heavy_after: Duration, now: Duration) {
        let first = !self.known;
        self.known = true;
        let learned = &mut self.learned;
        learned.calls += 1;
        let usage = &lesson.usage;
        average(&mut learned.run_time, lesson.run_time.as_secs_f32(), first);
        average(&mut learned.longest_step, usage.loop_longest.as_secs_f32(), first);
        average(&mut learned.thread_time, usage.thread_total.as_secs_f32(), first);
        average(&mut learned.thread_processor, usage.thread_processor.as_secs_f32(), first);
        // On a thread nothing is learned about the loop.
        if lesson.executor == Executor::Loop {
            self.learn_holding(lesson, heavy_after, now);
        }
        self.learn_computing(lesson, heavy_after, now);
    }

    fn learn_holding(&mut self, lesson: &Lesson, heavy_after: Duration, now: Duration) {
        let (usage, learned) = (&lesson.usage, &mut self.learned);
        let held = usage.loop_longest >= heavy_after && !usage.excused;
        if held {
            self.scored = now;
            let first = learned.hold_share == 0.0;
            average(&mut learned.hold_share, share(usage.loop_total, lesson.run_time), first);
            average(&mut learned.hold_processor_share, share(usage.loop_processor, usage.loop_total), first);
        }
        score(&mut learned.hold_score, held, lesson.seen_holding, usage.first);
    }

    fn learn_computing(&mut self, lesson: &Lesson, heavy_after: Duration, now: Duration) {
        let (usage, learned) = (&lesson.usage, &mut self.learned);
        // Whatever made it take long: it has used the processor.
        let part = share(usage.thread_processor, usage.thread_total);
        let computed = usage.thread_processor >= heavy_after && part > COMPUTING_SHARE;
        if computed {
            self.scored = now;
            let first = learned.compute_share == 0.0;
            average(&mut learned.compute_share, share(usage.thread_processor, lesson.run_time), first);
        }
        score(&mut learned.compute_score, computed, lesson.seen_computing, usage.first);
    }
}

fn add_score(score: &mut f32, amount: f32) {
    *score = (*score * (1.0 - FORGOTTEN_PER_CALL) + amount).min(HIGHEST_SCORE);
}

/// Counts a call that `did` it or not; `seen` says that it has been counted while it ran.
fn score(score: &mut f32, did: bool, seen: bool, first: bool) {
    match (did, seen) {
        (true, true) => {}
        (true, false) => add_score(score, if first { FIRST_CALL } else { 1.0 }),
        // It turned out not to be the route's fault.
        (false, true) => *score = (*score - 1.0).max(0.0),
        (false, false) => *score *= 1.0 - FORGOTTEN_PER_CALL,
    }
}

fn average(value: &mut f32, new: f32, first: bool) {
    *value = if first { new } else { *value + (new - *value) * NEWEST };
}

/// `part` of `whole`, 0 to 1.
pub(crate) fn share(part: Duration, whole: Duration) -> f32 {
    if whole.is_zero() { 0.0 } else { (part.as_secs_f32() / whole.as_secs_f32()).min(1.0) }
}

/// Whether work on a thread that has used so much of a processor computes, rather than waits.
pub(crate) fn is_computing(processor: Duration, elapsed: Duration) -> bool {
    share(processor, elapsed) > COMPUTING_SHARE
}
