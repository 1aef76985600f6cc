//! Worker processes: how many, and what runs in each.

use std::ops::RangeInclusive;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::Seconds;

/// The most workers that are started without being asked for.
const MOST_BY_DEFAULT: u16 = 512;

/// The worker processes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Workers")]
pub struct WorkerOptions {
    /// Worker processes. Given without --max-workers: exactly so many. By default as many as there are processors to use (affinity and cgroup counted)
    #[arg(id = "workers", long = "workers", short = 'w', env = "ANDON_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub least: Option<u16>,

    /// Workers that there may be while requests wait for one; those above --workers and --spare-workers go again when they are idle. By default twice the processors, or --workers where that is given
    #[arg(id = "max-workers", long = "max-workers", env = "ANDON_MAX_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub most: Option<u16>,

    /// Workers above --workers that are kept running while idle, up to --max-workers, so that a burst does not wait until one has started
    #[arg(id = "spare-workers", long = "spare-workers", env = "ANDON_SPARE_WORKERS", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=511))]
    pub spare: u16,

    /// Threads of a worker on which `def` endpoints and other blocking calls may wait at once
    #[arg(long, env = "ANDON_THREADS", value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=32_768))]
    pub threads: u32,

    /// Event loop of the workers; `auto` takes uvloop where it is installed
    #[arg(long = "loop", env = "ANDON_LOOP", value_enum, default_value_t, value_name = "LOOP")]
    pub event_loop: LoopKind,

    /// Whether routes of FastAPI applications are served natively where all that they need is understood; `andon routes` tells which. `unknown-ok`: with releases of FastAPI and Starlette that are not known, too, if they stand a self-test
    #[arg(long, env = "ANDON_NATIVE", value_enum, default_value_t, value_name = "MODE")]
    pub native: NativeRoutes,

    /// Longest time in seconds for which the front polls for the answer to a lone request instead of sleeping; 0: never
    #[arg(long, env = "ANDON_BUSY_POLL", value_name = "SECONDS", default_value = "0.0002")]
    pub busy_poll: Seconds,
}

impl WorkerOptions {
    /// The smallest number of workers, which is also that at the start, and the largest, on a machine that grants so
    /// many processors.
    pub fn range(&self, processors: usize) -> RangeInclusive<u16> {
        let (least, most) = self.bounds(processors);
        least.saturating_add(self.spare).min(most)..=most
    }

    fn bounds(&self, processors: usize) -> (u16, u16) {
        let processors = u16::try_from(processors).unwrap_or(MOST_BY_DEFAULT).clamp(1, MOST_BY_DEFAULT);
        match (self.least, self.most) {
            (None, None) => (processors, (2 * processors).min(MOST_BY_DEFAULT)),
            (Some(exactly), None) => (exactly, exactly),
            (None, Some(most)) => (processors.min(most), most),
            (Some(least), Some(most)) => (least, most),
        }
    }
}

/// Whether routes are served natively.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NativeRoutes {
    /// With releases of the frameworks that are known.
    #[default]
    Auto,
    /// Never.
    Off,
    /// With releases that are not known, too, if they stand a self-test.
    UnknownOk,
}

/// Which event loop the workers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LoopKind {
    /// uvloop where it is installed, else asyncio's own.
    #[default]
    Auto,
    /// uvloop.
    Uvloop,
    /// asyncio's own.
    Asyncio,
}
