//! The seats of the serving generation: who takes a free one and when, and who leaves when there are too many.
//!
//! While a first generation is being started none serves, and a changed number has to wait for it. While another one
//! is being started, the one that serves grows and shrinks as usual, and the new one is brought to the wanted number
//! when it serves.

use std::{collections::BTreeSet, time::Duration};

use super::{Fleet, Phase, Report, member::Member};
use crate::backoff::Backoff;

/// How long a worker that is too many may take to end what it has. It is not in anybody's way, so nothing that it does
/// is cut: in effect for ever, but the sum with any time is still a time.
const UNHURRIED: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// A place for one worker of the serving generation, in which one has died.
#[derive(Debug, Default)]
pub(super) struct Seat {
    backoff: Backoff,
    /// When its next worker is to be started, if it has none.
    pub(super) due: Option<Duration>,
}

impl Fleet {
    /// So many workers are wanted from now on.
    pub(super) fn resize(&mut self, wanted: u32) {
        if wanted != self.wanted && matches!(self.phase, Phase::Running) {
            self.report(Report::Resized { from: self.wanted, to: wanted });
            self.wanted = wanted;
        }
    }

    /// Takes the seats that are free, and retires whoever sits beyond the last.
    pub(super) fn fit_seats(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Stopping(_)) || self.serving == 0 {
            return;
        }
        let beyond = self.wanted + 1;
        self.seats.split_off(&beyond);
        for id in self.ids(|member| member.seat >= beyond && self.sits(member)) {
            self.retire(now, id, UNHURRIED);
        }
        let taken: BTreeSet<u32> =
            self.members.values().filter(|member| self.sits(member)).map(|member| member.seat).collect();
        for seat in (1..=self.wanted).filter(|seat| !taken.contains(seat)) {
            let place = self.seats.entry(seat).or_default();
            if place.due.is_none_or(|due| due <= now) {
                place.due = None;
                self.spawn(now, seat, self.serving);
            }
        }
    }

    fn sits(&self, member: &Member) -> bool {
        member.replaced && member.generation == self.serving
    }

    /// Another member is started in the seat of one that died, after a delay, which is returned.
    pub(super) fn replace(&mut self, now: Duration, dead: &Member) -> Duration {
        let random = self.jitter.next();
        let place = self.seats.entry(dead.seat).or_default();
        let delay = place.backoff.next(dead.life(now), random);
        place.due = Some(now + delay);
        delay
    }

    pub(super) fn forget_replacements(&mut self) {
        self.seats.clear();
    }
}
