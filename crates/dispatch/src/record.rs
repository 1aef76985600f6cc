//! A recorded run: what the dispatcher was told and what it answered, one line of JSON each. The rule is a pure
//! function of what happened, so a replay answers the same.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Action, Dispatcher, Event, Settings};

/// One step of a recorded run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it happened, since any fixed moment.
    pub now: Duration,
    /// What happened.
    pub event: Event,
    /// What was to be done.
    pub actions: Vec<Action>,
}

/// Where a replay departs from the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    /// Index of the record.
    pub index: usize,
    /// What the replay answered there.
    pub actions: Vec<Action>,
}

/// Replays a run from its beginning.
///
/// # Errors
/// The first step at which the replay answers something else than the record has.
pub fn replay(settings: Settings, records: impl IntoIterator<Item = Record>) -> Result<Dispatcher, Departure> {
    let mut dispatcher = Dispatcher::new(settings);
    let mut actions = Vec::new();
    for (index, record) in records.into_iter().enumerate() {
        dispatcher.step(record.now, record.event, &mut actions);
        if actions != record.actions {
            return Err(Departure { index, actions });
        }
        actions.clear();
    }
    Ok(dispatcher)
}
