//! Limits on what clients may send and how long they may take.

use clap::Args;

use crate::Seconds;

/// Bounds on size and number.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Requests that may be queued or running at once; one more is answered 503 with Retry-After
    #[arg(id = "limit-concurrency", long = "limit-concurrency", env = "ANDON_LIMIT_CONCURRENCY", value_name = "REQUESTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrency: Option<u32>,

    /// Client connections that may be open at once; one more waits in the kernel's backlog
    #[arg(id = "limit-connections", long = "limit-connections", env = "ANDON_LIMIT_CONNECTIONS", value_name = "CONNECTIONS", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,

    /// Longest request target in bytes; a longer one is answered 414
    #[arg(id = "limit-request-line", long = "limit-request-line", env = "ANDON_LIMIT_REQUEST_LINE", value_name = "BYTES", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(64..=60_000))]
    pub request_line: u32,

    /// Largest request head in bytes; a larger one is answered 431
    #[arg(id = "limit-request-head", long = "limit-request-head", env = "ANDON_LIMIT_REQUEST_HEAD", value_name = "BYTES", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1_024..=524_288))]
    pub request_head: u32,

    /// Most header fields of a request; more are answered 431
    #[arg(id = "limit-request-fields", long = "limit-request-fields", env = "ANDON_LIMIT_REQUEST_FIELDS", value_name = "FIELDS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub request_fields: u32,

    /// Largest request body in bytes; a larger one is answered 413. 0: no limit
    #[arg(
        id = "limit-request-body",
        long = "limit-request-body",
        env = "ANDON_LIMIT_REQUEST_BODY",
        value_name = "BYTES",
        default_value_t = 0
    )]
    pub request_body: u64,
}

/// Bounds on time, in seconds.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Time-outs")]
pub struct Timeouts {
    /// How long a connection may stay idle between two requests, in seconds. Longer than that of a proxy in front
    #[arg(
        id = "timeout-keep-alive",
        long = "timeout-keep-alive",
        env = "ANDON_TIMEOUT_KEEP_ALIVE",
        value_name = "SECONDS",
        default_value = "75"
    )]
    pub keep_alive: Seconds,

    /// How long a request head may take from its first byte on, in seconds; then 408. 0: no limit
    #[arg(
        id = "timeout-request-head",
        long = "timeout-request-head",
        env = "ANDON_TIMEOUT_REQUEST_HEAD",
        value_name = "SECONDS",
        default_value = "30"
    )]
    pub request_head: Seconds,

    /// How long a request body that is waited for may pause, in seconds; then 408. 0: no limit
    #[arg(
        id = "timeout-request-body",
        long = "timeout-request-body",
        env = "ANDON_TIMEOUT_REQUEST_BODY",
        value_name = "SECONDS",
        default_value = "30"
    )]
    pub request_body: Seconds,

    /// How long requests that are under way may take to end after SIGTERM or SIGINT, in seconds
    #[arg(
        id = "timeout-graceful-shutdown",
        long = "timeout-graceful-shutdown",
        env = "ANDON_TIMEOUT_GRACEFUL_SHUTDOWN",
        value_name = "SECONDS",
        default_value = "30"
    )]
    pub graceful_shutdown: Seconds,
}
