//! What the operator says of queue, routes and dispatch.

use std::path::PathBuf;

use andon_dispatch::{SavedProfile, Settings};
use andon_wire::rule::Rule;

/// How requests are queued and placed.
#[derive(Debug, Clone, Default)]
pub struct QueueSettings {
    /// The constants of the rule of dispatch.
    pub dispatch: Settings,
    /// Rules for routes by name, such as `GET /items/{item_id}`. They win over what the application's code says.
    pub rules: Vec<(String, Rule)>,
    /// What an earlier server has learned, by route name.
    pub profiles: Vec<(String, SavedProfile)>,
    /// Every decision is written to this file, one line of JSON each, for a replay.
    pub trace: Option<PathBuf>,
}
