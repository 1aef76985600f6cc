//! How long a request may take, what becomes of it when its client has gone, and what its client may ask of the server.

use clap::{ArgAction, Args};

use crate::{Seconds, TrustedPeers};

/// What holds for every request.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Requests")]
pub struct RequestOptions {
    /// How long a request may take from its arrival to the head of its answer, waiting included, in seconds; then 504. What has begun to answer is cut then. 0: no limit
    #[arg(
        id = "request-timeout",
        long = "request-timeout",
        env = "ANDON_REQUEST_TIMEOUT",
        value_name = "SECONDS",
        default_value = "0"
    )]
    pub timeout: Seconds,

    /// Cancel the task of a request whose client has gone, beside telling it with `http.disconnect`
    #[arg(long, env = "ANDON_CANCEL_ON_DISCONNECT", action = ArgAction::SetTrue)]
    pub cancel_on_disconnect: bool,

    /// Tell with each answer how long it waited and ran (`Server-Timing`), and where and why (`Andon-Placement`)
    #[arg(long, env = "ANDON_EXPLAIN", action = ArgAction::SetTrue)]
    pub explain: bool,

    /// Addresses and networks of clients whose fields `Andon-Explain: 1` and `Andon-Timeout: SECONDS` count, separated by commas; `none`: nobody's
    #[arg(long, env = "ANDON_TRUSTED_PEERS", value_name = "PEERS", default_value = "127.0.0.0/8,::1")]
    pub trusted_peers: TrustedPeers,
}
