//! What the front is told: the groups of [`andon_config::Settings`] that concern it.

use std::time::Duration;

use andon_config::{Limits, Settings, Timeouts, TrustedPeers, WebSocketOptions};
use andon_observe::AccessLog;

/// Everything that a [`crate::Front`] can be told.
#[derive(Debug, Clone)]
pub struct FrontSettings {
    /// Bounds on size and number.
    pub limits: Limits,
    /// Bounds on time.
    pub timeouts: Timeouts,
    /// WebSockets.
    pub websocket: WebSocketSettings,
    /// Whether answers without a `server` field get one.
    pub server_field: bool,
    /// Whether answers without a `date` field get one.
    pub date_field: bool,
    /// How long a request may take.
    pub request_timeout: Option<Duration>,
    /// Whether every answer tells how it came about.
    pub explain: bool,
    /// Clients that may ask for that, and for another time.
    pub trusted_peers: TrustedPeers,
    /// Where a line is written for each answer.
    pub access_log: Option<AccessLog>,
}

impl FrontSettings {
    /// The front's part of `settings`.
    pub fn new(settings: &Settings, access_log: Option<AccessLog>) -> Self {
        Self {
            limits: settings.limits.clone(),
            timeouts: settings.timeouts.clone(),
            websocket: WebSocketSettings::new(&settings.websocket),
            server_field: settings.fields.server(),
            date_field: settings.fields.date(),
            request_timeout: settings.requests.timeout.limit(),
            explain: settings.requests.explain,
            trusted_peers: settings.requests.trusted_peers.clone(),
            access_log,
        }
    }
}

/// How WebSockets are served.
#[derive(Debug, Clone, Copy)]
pub struct WebSocketSettings {
    /// Largest message in bytes, after decompression.
    pub max_size: usize,
    /// How often a WebSocket is pinged.
    pub ping_interval: Option<Duration>,
    /// How long a pong may take.
    pub ping_timeout: Option<Duration>,
    /// Whether permessage-deflate may be negotiated.
    pub deflate: bool,
}

impl WebSocketSettings {
    /// From the command line's options.
    pub fn new(options: &WebSocketOptions) -> Self {
        Self {
            max_size: options.max_size as usize,
            ping_interval: options.ping_interval.limit(),
            ping_timeout: options.ping_timeout.limit(),
            deflate: options.deflate(),
        }
    }
}
