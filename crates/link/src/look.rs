//! Looking at the workers: what they have taken up, what they run, and whether one has stalled.

use std::{sync::Arc, time::Duration};

use andon_dispatch::{Event as Happened, WorkerId};
use andon_wire::{FrameHeader, WireError, frame::NO_SLOT, stall::Stall};

use crate::{
    clock,
    hub::Hub,
    stalls::{Course, HeldUp, Stalled, name_of},
    worker_link::WorkerLink,
};

/// How often the front looks at its workers while they have requests.
const TICK: Duration = Duration::from_millis(5);

impl Hub {
    /// Ends each use of the hub: sees what workers have taken up meanwhile, and makes sure that a claim cannot be
    /// missed while requests wait. True if the watch must look sooner than it planned to.
    pub(crate) fn settle(&mut self) -> bool {
        // A worker that looked for the wish just before it was set has counted its claim before that, so reading the
        // counts once more after asking closes the race.
        while self.dispatcher.waiting() > 0 {
            for link in self.links.values() {
                link.memory.executor().want_notice();
            }
            if !self.observe() {
                break;
            }
        }
        let wanted = self.next_look();
        let sooner = wanted.is_some_and(|wanted| self.look_planned.is_none_or(|planned| wanted + TICK < planned));
        if sooner {
            self.look_planned = wanted;
        }
        sooner
    }

    /// Reads from shared memory what the workers have taken up. True if it was more than before.
    pub(crate) fn observe(&mut self) -> bool {
        let mut news = std::mem::take(&mut self.news);
        news.extend(self.links.iter_mut().filter_map(|(&worker, link)| link.news().map(|total| (worker, total))));
        let any = !news.is_empty();
        for (worker, total) in news.drain(..) {
            self.step(Happened::Taken { worker, total });
        }
        self.news = news;
        any
    }

    /// Time has passed: looks at all workers. Returns when to look again, by the monotonic clock; `None`: not before
    /// something happens.
    pub(crate) fn tick(&mut self) -> Option<Duration> {
        self.observe();
        let workers: Vec<WorkerId> = self.links.keys().copied().collect();
        for worker in workers {
            if let Some(sight) = self.links.get_mut(&worker).map(WorkerLink::sight) {
                self.step(Happened::Seen { worker, sight });
            }
            self.follow_stall(worker);
        }
        self.step(Happened::Tick);
        self.look_planned = self.next_look();
        self.look_planned
    }

    fn next_look(&self) -> Option<Duration> {
        let soon = clock::now() + TICK;
        if self.dispatcher.needs_ticks() || self.links.values().any(|link| link.stalled.is_some()) {
            return Some(soon);
        }
        self.dispatcher.next_deadline().map(|deadline| deadline.max(soon))
    }

    /// A worker tells that a step of its has lasted too long.
    pub(crate) fn stalled(&mut self, worker: WorkerId, header: &FrameHeader, payload: &[u8]) -> Result<(), WireError> {
        let stall = Stall::parse(payload)?;
        let Some(link) = self.links.get_mut(&worker) else {
            return Ok(());
        };
        if link.stalled.as_mut().is_some_and(|stalled| stalled.update(&stall)) {
            return Ok(());
        }
        // A stack that came too late for its report.
        if link.told_stall == Some(name_of(&stall)) {
            return Ok(());
        }
        self.report_stall(worker, false);
        let Some(link) = self.links.get_mut(&worker) else {
            return Ok(());
        };
        let exchange = (header.slot != NO_SLOT).then_some((header.slot, header.generation));
        let cell = exchange.and_then(|(slot, generation)| link.slots.get(slot, generation));
        let route =
            cell.map_or_else(|| "(code outside of requests)".into(), |cell| self.routes.lock().name(cell.route));
        link.stalled = Some(Stalled::new(exchange, route, stall));
        Ok(())
    }

    fn follow_stall(&mut self, worker: WorkerId) {
        let now = clock::now();
        let Some(link) = self.links.get_mut(&worker) else {
            return;
        };
        let Some(stalled) = &link.stalled else {
            link.returned.forget(now);
            return;
        };
        let state = link.memory.executor();
        match stalled.course(now, state, state.sight().as_ref()) {
            Course::GoesOn => {}
            Course::Due => self.report_stall(worker, true),
            Course::Ended => {
                self.report_stall(worker, false);
                if let Some(link) = self.links.get_mut(&worker) {
                    link.stalled = None;
                }
            }
        }
    }

    /// Reports the stall that the worker has, unless that was done.
    pub(crate) fn report_stall(&mut self, worker: WorkerId, ongoing: bool) {
        let now = clock::now();
        let running = self.held_up_in(worker, now);
        let Some(link) = self.links.get_mut(&worker) else {
            return;
        };
        let Some(stalled) = &mut link.stalled else {
            return;
        };
        if let Some(mut report) = stalled.report(now, link.number, &mut link.returned, running) {
            report.ongoing = ongoing;
            link.told_stall = Some(stalled.name());
            // Nobody listens where nobody wants reports, and what is more than the listener keeps up with is left out.
            let _ = self.reports.try_send(report);
        }
    }

    /// The other requests that the worker had while it stalled.
    fn held_up_in(&self, worker: WorkerId, now: Duration) -> Vec<HeldUp> {
        let Some(link) = self.links.get(&worker) else {
            return Vec::new();
        };
        let stalled = link.stalled.as_ref().and_then(|stalled| stalled.exchange);
        let others = link.slots.occupied().into_iter().filter(|&name| Some(name) != stalled);
        let routes = self.routes.lock();
        let held_up = others.filter_map(|(slot, generation)| {
            let cell = link.slots.get(slot, generation)?;
            let placed = cell.state.lock().placement?.placed;
            let waited = now.saturating_sub(placed);
            Some(HeldUp { route: Arc::clone(&routes.name(cell.route)), waited, placed_elsewhere: false })
        });
        held_up.collect()
    }
}
