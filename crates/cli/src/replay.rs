//! Replays a record of decisions (`--dispatch-trace`): the rule is a pure function of what happened, so it must decide
//! the same again.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use andon_dispatch::{Action, Record, Settings, replay};

/// What a replay has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// What the dispatcher was told.
    pub events: usize,
    /// Requests that were given to a worker, as the rule says.
    pub placements: usize,
}

/// Replays the record at `path`.
///
/// # Errors
/// Text for people: the file cannot be read, or the rule decides otherwise somewhere.
pub fn replay_decisions(path: &Path) -> Result<Replayed, String> {
    let file = File::open(path).map_err(|error| format!("cannot open `{}`: {error}", path.display()))?;
    let mut lines = BufReader::new(file).lines().enumerate();
    let mut line = || -> Result<Option<(usize, String)>, String> {
        let Some((number, line)) = lines.next() else { return Ok(None) };
        line.map(|line| Some((number + 1, line))).map_err(|error| error.to_string())
    };
    let (_, first) = line()?.ok_or("the file is empty")?;
    let settings: Settings = parse(1, &first)?;
    let mut records = Vec::new();
    while let Some((number, text)) = line()? {
        records.push(parse::<Record>(number, &text)?);
    }
    let is_offer = |action: &&Action| matches!(action, Action::Offer { .. });
    let placements = records.iter().map(|record| record.actions.iter().filter(is_offer).count()).sum();
    let events = records.len();
    replay(settings, records)
        .map_err(|departure| format!("line {}: the rule decides {:?}", departure.index + 2, departure.actions))?;
    Ok(Replayed { events, placements })
}

fn parse<T: serde::de::DeserializeOwned>(number: usize, line: &str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| format!("line {number} is no decision: {error}"))
}
