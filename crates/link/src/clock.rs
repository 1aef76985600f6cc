//! The machine's monotonic clock: the same in front and workers, so that times in shared memory can be compared.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since an arbitrary moment of this boot.
pub(crate) fn now() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// How long it is until `time`.
pub(crate) fn until(time: Duration) -> Duration {
    time.saturating_sub(now())
}
