//! Clients: when requests of a route arrive, and what each of them does.

use std::time::Duration;

use andon_dispatch::{RouteId, RouteRule, SavedProfile};

use crate::{Random, Work};

/// When requests arrive.
#[derive(Debug, Clone)]
pub enum Arrivals {
    /// At these times.
    At(Vec<Duration>),
    /// With exponential gaps, so many a second on average.
    Poisson(f64),
    /// With equal gaps, so many a second.
    Steady(f64),
    /// So many clients, each of which sends its next request when the last one is answered; one that is refused tries
    /// again after 100 ms.
    Closed(usize),
}

/// The requests of one route.
pub struct Load {
    /// The route.
    pub route: RouteId,
    /// What the operator says of it.
    pub rule: RouteRule,
    /// What is known of it.
    pub profile: Option<SavedProfile>,
    /// When they arrive.
    pub arrivals: Arrivals,
    /// What they do.
    pub work: Box<dyn FnMut(&mut Random) -> Work>,
}

impl Load {
    /// Requests of a route that nothing is known of.
    pub fn new(route: u32, arrivals: Arrivals, work: impl FnMut(&mut Random) -> Work + 'static) -> Self {
        let (route, rule) = (RouteId(route), RouteRule::default());
        Self { route, rule, profile: None, arrivals, work: Box::new(work) }
    }

    /// The route is known to leave loop and GIL to others.
    #[must_use]
    pub fn known_light(self) -> Self {
        Self { profile: Some(SavedProfile { calls: 100, ..SavedProfile::default() }), ..self }
    }

    /// The route is known to hold its event loop all the time.
    #[must_use]
    pub fn known_to_block(self) -> Self {
        Self { profile: Some(SavedProfile { calls: 100, hold_score: 1.0, ..SavedProfile::default() }), ..self }
    }

    /// With a rule of the operator.
    #[must_use]
    pub fn with_rule(self, rule: RouteRule) -> Self {
        Self { rule, ..self }
    }
}

impl std::fmt::Debug for Load {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Load").field("route", &self.route).field("arrivals", &self.arrivals).finish()
    }
}

impl Arrivals {
    /// The first arrivals, to be told before the run.
    pub(crate) fn first(&self, random: &mut Random) -> Vec<Duration> {
        match self {
            Self::At(times) => times.clone(),
            Self::Closed(clients) => vec![Duration::ZERO; *clients],
            Self::Poisson(_) | Self::Steady(_) => self.gap(random).into_iter().collect(),
        }
    }

    /// From one arrival to the next, for those that do not depend on answers.
    pub(crate) fn gap(&self, random: &mut Random) -> Option<Duration> {
        match self {
            Self::At(_) | Self::Closed(_) => None,
            Self::Poisson(rate) => Some(random.exponential(Duration::from_secs_f64(1.0 / rate))),
            Self::Steady(rate) => Some(Duration::from_secs_f64(1.0 / rate)),
        }
    }
}
