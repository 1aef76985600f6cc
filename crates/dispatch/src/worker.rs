//! What the dispatcher knows of one worker.

use std::{collections::VecDeque, time::Duration};

use crate::{RequestId, Settings};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Ready,
    Retired,
}

#[derive(Debug)]
struct Offer {
    request: RequestId,
    made: Duration,
    recall_tried: bool,
}

/// A worker that is up.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) phase: Phase,
    /// Requests placed here that have not ended.
    pub(crate) busy: usize,
    /// Offers that were not taken up yet, oldest first, recalled ones included: the worker will come past those too.
    offers: VecDeque<Offer>,
    taken: u64,
    stalled: bool,
}

impl Worker {
    pub(crate) fn new() -> Self {
        Self { phase: Phase::Ready, busy: 0, offers: VecDeque::new(), taken: 0, stalled: false }
    }

    pub(crate) fn is_free(&self, settings: &Settings) -> bool {
        self.phase == Phase::Ready
            && !self.stalled
            && self.offers.len() < settings.window
            && self.busy < settings.capacity
    }

    pub(crate) fn has_offers(&self) -> bool {
        !self.offers.is_empty()
    }

    pub(crate) fn offer(&mut self, request: RequestId, now: Duration) {
        self.busy += 1;
        self.offers.push_back(Offer { request, made: now, recall_tried: false });
    }

    /// The worker has come past its first `total` offers. A count that goes back or beyond what was offered is a
    /// worker's lie or a torn read, and is clamped.
    pub(crate) fn take(&mut self, total: u64) {
        while self.taken < total && self.offers.pop_front().is_some() {
            self.taken += 1;
        }
        if self.offers.is_empty() {
            self.stalled = false;
        }
    }

    /// Marks the worker as stalled if its oldest offer was made too long ago, and yields the offers to take back,
    /// youngest first: each goes to the head of the queue.
    pub(crate) fn stalled_offers(&mut self, now: Duration, settings: &Settings) -> impl Iterator<Item = RequestId> {
        let late = |offer: &Offer| now.saturating_sub(offer.made) >= settings.stall_after;
        self.stalled = self.stalled || self.offers.front().is_some_and(late);
        let stalled = self.stalled;
        self.offers.iter_mut().rev().filter(move |offer| stalled && !offer.recall_tried).map(|offer| {
            offer.recall_tried = true;
            offer.request
        })
    }
}
