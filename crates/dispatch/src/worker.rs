//! What the dispatcher knows of one worker: what it was offered, what it has, and whether it takes things up.

use std::{collections::VecDeque, time::Duration};

use crate::{RequestId, Settings, WorkerId, calls::Charge};

/// All of a worker's event loop, or of its GIL, in the unit of [`Charge`].
pub(crate) const WHOLE: u32 = 1000;

/// From this share on, normal work next to it would mostly wait.
const MOST: u32 = WHOLE / 2;

/// One that is taken up and one behind it, so that the worker need not wait for the front.
const LEAST_WINDOW: usize = 2;

/// After heavy work has ended, normal work keeps off the worker for so long if it can: the next heavy call is likely
/// to come here, and would hold what is in flight.
const HEAVY_HABIT: Duration = Duration::from_secs(1);

/// An offer that the worker has not come past.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) request: RequestId,
    /// Tells this offer of the request from an earlier one that was taken back.
    pub(crate) placement: u64,
    made: Duration,
    recall_tried: bool,
}

/// A worker that is up.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) retired: bool,
    stalled: bool,
    /// Requests placed here that have not ended.
    pub(crate) busy: u32,
    /// Sum of the shares for which the calls here hold the event loop.
    pub(crate) holding: u32,
    /// Sum of the shares for which the calls here compute on threads.
    pub(crate) computing: u32,
    /// Calls here that wait on threads.
    pub(crate) waiting: u32,
    heavy_until: Duration,
    /// Offers that were not taken up yet, oldest first, recalled ones included: the worker will come past those too.
    pub(crate) offers: VecDeque<Offer>,
    taken: u64,
    /// What was taken up when the worker was last looked at.
    taken_before: u64,
    /// Offers that it takes up in time; see [`Self::stall_if_late`].
    keeps_up_with: usize,
    turns: u64,
    /// Calls of routes that are not known yet.
    pub(crate) probing: Vec<RequestId>,
    /// Calls that count for a share of the event loop or of the GIL.
    pub(crate) charged: Vec<RequestId>,
    /// When it was last looked at, and when its charged calls were last gone through.
    pub(crate) looked: Duration,
    pub(crate) eased: Duration,
}

impl Worker {
    pub(crate) fn new(id: WorkerId) -> Self {
        Self {
            id,
            retired: false,
            stalled: false,
            busy: 0,
            holding: 0,
            computing: 0,
            waiting: 0,
            heavy_until: Duration::ZERO,
            offers: VecDeque::new(),
            taken: 0,
            taken_before: 0,
            keeps_up_with: usize::MAX,
            turns: 0,
            probing: Vec::new(),
            charged: Vec::new(),
            looked: Duration::ZERO,
            eased: Duration::ZERO,
        }
    }

    /// It takes up what it is offered, and has room.
    pub(crate) fn is_free(&self, settings: &Settings) -> bool {
        !self.retired
            && !self.stalled
            && self.offers.len() < settings.window.min(self.keeps_up_with)
            && (self.busy as usize) < settings.capacity
    }

    /// It can be counted on to take normal work, now or soon.
    pub(crate) fn is_clean(&self) -> bool {
        !self.retired && !self.stalled && self.holding == 0
    }

    /// How badly normal work would do here, 0 best.
    pub(crate) fn burden(&self, now: Duration) -> u8 {
        match (self.holding, self.computing) {
            (MOST.., _) => Self::HELD,
            (1.., _) => 3,
            (0, 1..) => 2,
            (0, 0) => u8::from(self.has_heavy_habit(now)),
        }
    }

    /// The [`Self::burden`] of a worker whose event loop is mostly held.
    pub(crate) const HELD: u8 = 4;

    pub(crate) fn has_heavy_habit(&self, now: Duration) -> bool {
        now < self.heavy_until
    }

    /// Whether its state changes by being looked at.
    pub(crate) fn needs_looks(&self) -> bool {
        self.stalled || self.busy > 0 || !self.offers.is_empty()
    }

    pub(crate) fn charge(&mut self, request: RequestId, charge: Charge) {
        if charge.is_share() {
            self.charged.push(request);
        }
        match charge {
            Charge::Nothing => {}
            Charge::Loop(share) => self.holding += share,
            Charge::Threads(share) => self.computing += share,
            Charge::Waiting => self.waiting += 1,
        }
    }

    pub(crate) fn discharge(&mut self, request: RequestId, charge: Charge) {
        if charge.is_share() {
            self.charged.retain(|&other| other != request);
        }
        match charge {
            Charge::Nothing => {}
            Charge::Loop(share) => self.holding -= share,
            Charge::Threads(share) => self.computing -= share,
            Charge::Waiting => self.waiting -= 1,
        }
    }

    /// A call that was known to hold the loop has ended here.
    pub(crate) fn keep_heavy(&mut self, now: Duration) {
        self.heavy_until = now + HEAVY_HABIT;
    }

    pub(crate) fn offer(&mut self, request: RequestId, placement: u64, now: Duration) {
        self.busy += 1;
        self.offers.push_back(Offer { request, placement, made: now, recall_tried: false });
    }

    /// The next offer that the worker has come past, given that it has come past `total` in all. A count that goes back
    /// or beyond what was offered is a worker's lie or a torn read, and is clamped.
    pub(crate) fn take_next(&mut self, total: u64) -> Option<Offer> {
        if self.taken >= total {
            return None;
        }
        let offer = self.offers.pop_front()?;
        self.taken += 1;
        if self.offers.is_empty() {
            self.stalled = false;
            self.keeps_up_with = self.keeps_up_with.saturating_add(1);
        }
        Some(offer)
    }

    /// Takes in how often the loop has turned; whether that is more often than before. A loop that turns is not stalled.
    pub(crate) fn turn(&mut self, turns: u64) -> bool {
        let turned = turns != self.turns;
        self.turns = turns;
        self.stalled &= !turned;
        turned
    }

    /// Nothing more is offered until the loop turns.
    pub(crate) fn stall(&mut self) {
        self.stalled = true;
    }

    /// Stalls if the oldest offer was made too long ago. If others were taken up meanwhile, the worker is not held but
    /// was given more than it can begin in that time: it is given half as much from now on.
    pub(crate) fn stall_if_late(&mut self, now: Duration, settings: &Settings) {
        let goes_on = self.taken != self.taken_before;
        self.taken_before = self.taken;
        let late = |offer: &Offer| now.saturating_sub(offer.made) >= settings.stall_after;
        if self.offers.front().is_none_or(|offer| !late(offer)) {
            return;
        }
        if goes_on && !self.stalled {
            self.keeps_up_with = (self.keeps_up_with.min(self.offers.len()) / 2).max(LEAST_WINDOW);
        }
        self.stalled = true;
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// The offers to take back, each once; youngest first, for each goes to the head of the queue.
    pub(crate) fn recall_offers(&mut self, wanted: impl Fn(&Offer) -> bool) -> impl Iterator<Item = RequestId> {
        self.offers.iter_mut().rev().filter(move |offer| !offer.recall_tried && wanted(offer)).map(|offer| {
            offer.recall_tried = true;
            offer.request
        })
    }
}
