//! Which reports are written: the first of each place in the code at once, then one a minute, with the number of those
//! left out.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use andon_link::StallReport;

/// Reports of one place are this far apart.
const INTERVAL: Duration = Duration::from_secs(60);

/// Places that are remembered. More than these at once are no places but noise, of which a part is told.
const MOST_SPOTS: usize = 1000;

/// A place in the code, as far as it is known: for the limit, stalls at one place are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Spot {
    pub(super) route: Arc<str>,
    /// Empty if there was no stack.
    pub(super) file: String,
    pub(super) line: u32,
}

#[derive(Debug)]
struct Told {
    at: Duration,
    left_out: u64,
}

/// What was told of each place.
#[derive(Debug, Default)]
pub(super) struct Limit {
    told: HashMap<Spot, Told>,
}

impl Spot {
    pub(super) fn of(report: &StallReport) -> Self {
        let stall = &report.stall;
        let frame = stall.own_frame().or_else(|| stall.frames.iter().flatten().next());
        let (file, line) = frame.map_or((String::new(), 0), |frame| (frame.file.clone(), frame.line));
        Self { route: Arc::clone(&report.route), file, line }
    }
}

impl Limit {
    /// Whether a report of this place is to be written now; if so, how many were left out since the last.
    pub(super) fn admit(&mut self, now: Duration, spot: Spot) -> Option<u64> {
        let is_full = self.told.len() >= MOST_SPOTS;
        match self.told.entry(spot) {
            Entry::Vacant(_) if is_full => None,
            Entry::Vacant(place) => {
                place.insert(Told { at: now, left_out: 0 });
                Some(0)
            }
            Entry::Occupied(mut place) if now.saturating_sub(place.get().at) >= INTERVAL => {
                Some(place.insert(Told { at: now, left_out: 0 }).left_out)
            }
            Entry::Occupied(mut place) => {
                place.get_mut().left_out += 1;
                None
            }
        }
    }

    /// Forgets the places of which nothing was told for the interval; returns how many reports of each were left out.
    pub(super) fn expire(&mut self, now: Duration) -> Vec<(Spot, u64)> {
        let expired = self.told.extract_if(|_, told| now.saturating_sub(told.at) >= INTERVAL);
        expired.filter(|(_, told)| told.left_out > 0).map(|(spot, told)| (spot, told.left_out)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(line: u32) -> Spot {
        Spot { route: "GET /".into(), file: "main.py".to_owned(), line }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn first_of_each_place_is_written_at_once() {
        let mut limit = Limit::default();
        assert_eq!(limit.admit(SECOND, spot(1)), Some(0));
        assert_eq!(limit.admit(SECOND, spot(2)), Some(0));
        let elsewhere = Spot { route: "GET /other".into(), ..spot(1) };
        assert_eq!(limit.admit(SECOND, elsewhere), Some(0));
    }

    #[test]
    fn later_ones_are_written_once_a_minute_with_the_number_left_out() {
        let mut limit = Limit::default();
        limit.admit(SECOND, spot(1));
        for second in 2..=60 {
            assert_eq!(limit.admit(SECOND * second, spot(1)), None);
        }
        assert_eq!(limit.admit(SECOND * 61, spot(1)), Some(59));
        assert_eq!(limit.admit(SECOND * 62, spot(1)), None);
        assert_eq!(limit.admit(SECOND * 130, spot(1)), Some(1));
    }

    #[test]
    fn what_was_left_out_is_told_even_if_no_other_follows() {
        let mut limit = Limit::default();
        limit.admit(SECOND, spot(1));
        limit.admit(SECOND * 2, spot(1));
        limit.admit(SECOND * 2, spot(2));
        assert!(limit.expire(SECOND * 30).is_empty());
        assert_eq!(limit.expire(SECOND * 62), [(spot(1), 1)]);
        assert!(limit.told.is_empty());
    }

    #[test]
    fn places_are_bounded() {
        let mut limit = Limit::default();
        let admitted = (0..2 * MOST_SPOTS as u32).filter(|&line| limit.admit(SECOND, spot(line)).is_some()).count();
        assert_eq!(admitted, MOST_SPOTS);
    }
}
