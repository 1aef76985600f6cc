//! Options of WebSockets.

use clap::{ArgAction, Args};

use crate::Seconds;

/// How WebSockets are served.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "WebSockets")]
pub struct WebSocketOptions {
    /// Largest WebSocket message in bytes, after decompression; a larger one closes the WebSocket with 1009
    #[arg(id = "ws-max-size", long = "ws-max-size", env = "ANDON_WS_MAX_SIZE", value_name = "BYTES", default_value_t = 16 * 1024 * 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_size: u32,

    /// How often an idle WebSocket is pinged, in seconds. 0: never
    #[arg(
        id = "ws-ping-interval",
        long = "ws-ping-interval",
        env = "ANDON_WS_PING_INTERVAL",
        value_name = "SECONDS",
        default_value = "20"
    )]
    pub ping_interval: Seconds,

    /// How long a pong may take before the WebSocket is taken for dead, in seconds. 0: for ever
    #[arg(
        id = "ws-ping-timeout",
        long = "ws-ping-timeout",
        env = "ANDON_WS_PING_TIMEOUT",
        value_name = "SECONDS",
        default_value = "20"
    )]
    pub ping_timeout: Seconds,

    /// Compress WebSocket messages (permessage-deflate, RFC 7692) where the client can (`--no-ws-per-message-deflate`: do not)
    #[arg(id = "ws-per-message-deflate", long = "ws-per-message-deflate", env = "ANDON_WS_PER_MESSAGE_DEFLATE", default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set, value_name = "BOOL", overrides_with = "no_per_message_deflate")]
    pub per_message_deflate: bool,

    #[arg(long = "no-ws-per-message-deflate", hide = true, overrides_with = "ws-per-message-deflate")]
    no_per_message_deflate: bool,
}

impl WebSocketOptions {
    /// Whether permessage-deflate may be negotiated.
    pub fn deflate(&self) -> bool {
        self.per_message_deflate && !self.no_per_message_deflate
    }
}
