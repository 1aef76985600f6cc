//! Which worker gets a request, what blocks, and how long a request may wait.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::Seconds;

/// How code that blocks is dealt with.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Dispatch")]
pub struct DispatchOptions {
    /// What becomes of a route whose `async def` blocks its event loop: `isolate` keeps it on few workers; `offload` runs it on a thread if its code cannot suspend
    #[arg(long, env = "ANDON_ON_BLOCK", value_enum, default_value_t, value_name = "WHAT")]
    pub on_block: OnBlock,

    /// How long a worker's event loop may be held before what it has not started is given to others, in seconds
    #[arg(long, env = "ANDON_STALL_AFTER", value_name = "SECONDS", default_value = "0.02", value_parser = Seconds::parse_positive)]
    pub stall_after: Seconds,

    /// How long an event loop must be held to be reported in the log, in seconds
    #[arg(long, env = "ANDON_STALL_REPORT_AFTER", value_name = "SECONDS", default_value = "0.1", value_parser = Seconds::parse_positive)]
    pub stall_report_after: Seconds,

    /// File with the table `[tool.andon.routes]`: what is to be done with single routes. By default pyproject.toml in the directory of --app-dir, if it is there
    #[arg(id = "config", long = "config", env = "ANDON_CONFIG", value_name = "FILE")]
    pub rules_file: Option<PathBuf>,

    /// Directory in which what was learned of the routes is kept from one start to the next. By default nothing is kept
    #[arg(long, env = "ANDON_STATE_DIR", value_name = "DIRECTORY")]
    pub state_dir: Option<PathBuf>,

    /// File that gets every event and decision of the dispatch, one line of JSON each, to be replayed
    #[arg(long, env = "ANDON_DISPATCH_TRACE", value_name = "FILE")]
    pub dispatch_trace: Option<PathBuf>,
}

/// What becomes of routes that block their event loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OnBlock {
    /// They stay on the event loop, of few workers.
    #[default]
    Isolate,
    /// They run on a thread where their code allows it.
    Offload,
}

/// The queue of requests for which no worker is free.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Queue")]
pub struct QueueOptions {
    /// How long a request may wait for a worker, in seconds; one that would wait longer is answered 503 at once. 0: no limit
    #[arg(
        id = "queue-timeout",
        long = "queue-timeout",
        env = "ANDON_QUEUE_TIMEOUT",
        value_name = "SECONDS",
        default_value = "10"
    )]
    pub timeout: Seconds,

    /// The same for routes that hold an event loop or compute, in seconds. 0: no limit
    #[arg(
        id = "heavy-queue-timeout",
        long = "heavy-queue-timeout",
        env = "ANDON_HEAVY_QUEUE_TIMEOUT",
        value_name = "SECONDS",
        default_value = "60"
    )]
    pub heavy_timeout: Seconds,

    /// Requests that may wait for a worker; one more is answered 503
    #[arg(id = "queue-requests", long = "queue-requests", env = "ANDON_QUEUE_REQUESTS", value_name = "REQUESTS", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests: u32,

    /// Bytes of waiting requests that are kept in memory; a request that would wait beside so many is answered 503
    #[arg(id = "queue-bytes", long = "queue-bytes", env = "ANDON_QUEUE_BYTES", value_name = "BYTES", default_value_t = 256 * 1024 * 1024, value_parser = clap::value_parser!(u64).range(1..))]
    pub bytes: u64,
}
