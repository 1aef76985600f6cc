//! One worker as the fleet sees it.

use std::time::Duration;

use crate::backoff::Life;

/// A worker process, named for good: numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MemberId(pub(crate) u32);

/// Where a worker is in its life. Every stage ends with the process ([`super::Event::Gone`]) at the latest.
///
/// ```text
///   Starting ---> Ready ---> Retiring ---> Leaving ---> (gone)
///      |            |            |            |            ^
///      |            |            |         overdue         |
///      |            |            |            v            |
///      '------------'------------'---> Lost --'-> Killed --'
///                     its socket ended
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It imports the application and runs its lifespan start-up.
    Starting,
    /// It takes requests.
    Ready,
    /// It is given nothing more and may end what it has until then.
    Retiring { until: Duration },
    /// It was told to shut down, or has said that it failed; after `until` it is killed.
    Leaving { until: Duration },
    /// Its socket has ended and its process has not yet; after `until` it is killed.
    Lost { until: Duration },
    /// It was killed and must only be reaped.
    Killed,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) seat: u32,
    pub(super) generation: u32,
    pub(super) born: Duration,
    pub(super) stage: Stage,
    /// It has been ready.
    pub(super) served: bool,
    /// Another one takes its seat when it is gone.
    pub(super) replaced: bool,
}

impl Member {
    pub(super) fn new(seat: u32, generation: u32, born: Duration) -> Self {
        Self { seat, generation, born, stage: Stage::Starting, served: false, replaced: true }
    }

    /// Its life, which ends now.
    pub(super) fn life(&self, now: Duration) -> Life {
        Life { lasted: now.saturating_sub(self.born), served: self.served }
    }

    /// When the fleet must act on it, if time has to do with it.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.stage {
            Stage::Retiring { until } | Stage::Leaving { until } | Stage::Lost { until } => Some(until),
            Stage::Starting | Stage::Ready | Stage::Killed => None,
        }
    }
}
