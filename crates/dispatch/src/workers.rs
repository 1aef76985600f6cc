//! All workers that are up, and which of them is chosen for which kind of work.

use std::time::Duration;

use crate::{
    Settings, WorkerId,
    worker::{WHOLE, Worker},
};

/// Calls that compute share a process up to this sum of their shares: one that computes all the time is alone, of two
/// that wait for a good part one fills the other's gaps.
const COMPUTING_TOGETHER: u32 = WHOLE + WHOLE / 4;

/// The workers, by number.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    list: Vec<Worker>,
}

impl Workers {
    /// One that is known keeps what it has.
    pub(crate) fn add(&mut self, id: WorkerId) {
        if let Err(index) = self.index(id) {
            self.list.insert(index, Worker::new(id));
        }
    }

    pub(crate) fn remove(&mut self, id: WorkerId) {
        self.list.retain(|worker| worker.id != id);
    }

    pub(crate) fn get(&self, id: WorkerId) -> Option<&Worker> {
        self.index(id).ok().map(|index| &self.list[index])
    }

    pub(crate) fn get_mut(&mut self, id: WorkerId) -> Option<&mut Worker> {
        self.index(id).ok().map(|index| &mut self.list[index])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Worker> {
        self.list.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Worker> {
        self.list.iter_mut()
    }

    fn index(&self, id: WorkerId) -> Result<usize, usize> {
        self.list.binary_search_by_key(&id, |worker| worker.id)
    }

    /// How many may be given something.
    pub(crate) fn ready(&self) -> usize {
        self.list.iter().filter(|worker| !worker.retired).count()
    }

    /// How many are free and have no heavy work.
    pub(crate) fn spare(&self, settings: &Settings) -> usize {
        let spare = |worker: &&Worker| worker.is_free(settings) && worker.holding == 0 && worker.computing == 0;
        self.list.iter().filter(spare).count()
    }

    fn free<'a>(&'a self, settings: &'a Settings) -> impl Iterator<Item = &'a Worker> {
        self.list.iter().filter(|worker| worker.is_free(settings))
    }

    /// Whether all event loops are mostly held: only then does other work go next to such calls.
    fn all_held(&self, now: Duration) -> bool {
        self.list.iter().filter(|worker| !worker.retired).all(|worker| worker.burden(now) >= Worker::HELD)
    }

    /// For normal work: the least busy free worker among those with the least heavy work; among equals the first.
    pub(crate) fn for_normal(&self, now: Duration, settings: &Settings) -> Option<WorkerId> {
        let key = |worker: &&Worker| (worker.burden(now), worker.busy);
        let best = self.free(settings).min_by_key(key)?;
        (best.burden(now) < Worker::HELD || self.all_held(now)).then_some(best.id)
    }

    /// For work that waits on threads: as normal work, where threads are left.
    pub(crate) fn for_waiting(&self, now: Duration, settings: &Settings) -> Option<WorkerId> {
        let key = |worker: &&Worker| (worker.burden(now), worker.busy);
        let best = self.free(settings).filter(|worker| worker.waiting < settings.threads).min_by_key(key)?;
        (best.burden(now) < Worker::HELD || self.all_held(now)).then_some(best.id)
    }

    /// For work that computes on a thread for `share` of its time: where least of that is done already.
    pub(crate) fn for_computing(&self, share: u32, now: Duration, settings: &Settings) -> Option<WorkerId> {
        let fits = |worker: &&Worker| worker.computing == 0 || worker.computing + share <= COMPUTING_TOGETHER;
        let key =
            |worker: &&Worker| (worker.burden(now) >= Worker::HELD, worker.computing, worker.holding, worker.busy);
        let best = self.free(settings).filter(fits).min_by_key(key)?;
        (best.burden(now) < Worker::HELD || self.all_held(now)).then_some(best.id)
    }

    /// For work that holds the event loop for `share` of its time: together with other such work, and never on the last
    /// `reserved` workers that have none. One worker is open to it if there are two, and the only one if there is one.
    pub(crate) fn for_holding(
        &self,
        share: u32,
        reserved: usize,
        now: Duration,
        settings: &Settings,
    ) -> Option<WorkerId> {
        let kept = reserved.min(self.ready().saturating_sub(1));
        let clean = self.list.iter().filter(|worker| worker.is_clean()).count();
        let leaves_enough = |worker: &Worker| clean >= kept + usize::from(worker.is_clean());
        let fits = |worker: &Worker| worker.holding == 0 || worker.holding + share <= WHOLE;
        let key = |worker: &&Worker| {
            let heavy = (worker.holding > 0, worker.has_heavy_habit(now), worker.computing == 0);
            (heavy, u32::MAX - worker.busy, worker.id)
        };
        let candidates = self.free(settings).filter(|worker| fits(worker) && leaves_enough(worker));
        candidates.max_by_key(key).map(|worker| worker.id)
    }

    /// For a call of a route that nothing is known of: as if it held the event loop all the time. But a single worker
    /// takes all of them, for there is nobody else to be kept free, and the last worker may be taken by one new call at a
    /// time, if it is the `first` of its route: it is known soon, and new routes must not wait for as long as heavy work
    /// lasts, nor for another new route that came before in great numbers.
    pub(crate) fn for_unknown(&self, first: bool, now: Duration, settings: &Settings) -> Option<WorkerId> {
        if self.ready() == 1 {
            return self.free(settings).next().map(|worker| worker.id);
        }
        let other = self.for_holding(WHOLE, 1, now, settings);
        if other.is_some() || !first {
            return other;
        }
        self.free(settings).find(|worker| worker.holding == 0).map(|worker| worker.id)
    }
}
