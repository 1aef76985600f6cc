//! The supervisor: worker processes from their start to their end.
//!
//! ```text
//!   cli --- Commands: resize, stop ----.           .--- spawn, kill ---> process (one task per worker)
//!                                      v           |<-- ready, failed, gone
//!   watch --- changed ---> driver: Fleet::step(now, event) -> actions
//!                                                  |
//!                                                  '--- attach, retire, shutdown ---> andon_link::Workers
//! ```
//! - `fleet` decides, and does nothing else: no process, no clock. All rules of start-up, replacement, reload and stop
//!   are there, with their tests.
//! - `driver` carries its decisions out and tells it what has happened.
//! - `process` starts and reaps worker processes; `inherit` is the one unsafe line which that needs.
//! - `watch` tells of changed Python files, for `--reload`.
//!
//! A worker dies with the front even if the front is killed: its end of the socket comes to an end then. The front's
//! end is never inherited by another worker, so nothing else keeps it open.

mod backoff;
mod departure;
mod driver;
mod error;
mod fleet;
mod inherit;
mod process;
mod processors;
mod report;
mod settings;
mod watch;

pub use departure::Departure;
pub use driver::{Commands, Progress, Supervisor};
pub use error::StartError;
pub use settings::{SupervisorSettings, worker_range};
