//! What the fleet is told and what it answers.

use std::{io, time::Duration};

use super::MemberId;
use crate::{Departure, StartError};

/// What has happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// The first of all events.
    Begin,
    /// A deadline has passed.
    Time,
    /// There is no process behind this member.
    SpawnFailed(MemberId, io::Error),
    /// The worker can serve.
    Ready(MemberId),
    /// The worker could not start, and ends.
    Failed(MemberId, StartError),
    /// The retired worker has nothing left.
    Idle(MemberId),
    /// The worker's socket has ended.
    Closed(MemberId),
    /// The worker's process has ended; always the last event of a member.
    Gone(MemberId, Departure),
    /// SIGHUP.
    Reload,
    /// Python files have changed.
    Changed,
    /// So many workers are wanted from now on.
    Resize(u32),
    /// End all workers; what they still do, and their lifespan shutdowns, may take so long.
    Stop(Duration),
    /// End all workers at once.
    StopNow,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Action {
    /// Start a process.
    Spawn {
        /// Its name from now on.
        id: MemberId,
        /// The number it is told.
        seat: u32,
    },
    /// Give it nothing more and tell when it is idle.
    Retire(MemberId),
    /// Tell it to end.
    Shutdown(MemberId),
    /// Kill its process.
    Kill(MemberId),
    /// Requests can be accepted: the first generation is ready.
    Serving,
    /// Log it.
    Report(Report),
    /// The last of all actions: no worker is left.
    End(Result<(), StartError>),
}

/// What an operator may want to know.
#[derive(Debug)]
pub(crate) enum Report {
    /// The worker of a new generation can serve.
    Ready(MemberId),
    /// The worker that replaces a dead one serves.
    Replaced(MemberId),
    /// The worker ended though nobody had told it to; another is started after the delay.
    Died { id: MemberId, how: Departure, delay: Duration },
    /// The worker ended as it was told to, or was not wanted any more.
    Left { id: MemberId, how: Departure },
    /// The replacement of a dead worker could not start; another is tried.
    ReplacementFailed(MemberId, StartError),
    /// The worker did not end in time and is killed.
    Overdue(MemberId),
    /// Another number of workers is wanted than before.
    Resized { from: u32, to: u32 },
    /// A new generation is started on demand.
    Rolling,
    /// It serves now, and the old one is retired.
    Rolled,
    /// It could not start; the old one goes on.
    RollFailed(StartError),
    /// Under `--reload`: the code as it is cannot start, and nothing serves.
    FirstFailed(StartError),
}
