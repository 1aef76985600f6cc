//! Clocks, in nanoseconds: the machine's monotonic one, and the CPU time of single threads.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds of the machine's monotonic clock, which the front reads as well.
pub(crate) fn monotonic() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// CPU time of the calling thread. A system call, unlike the monotonic clock: about 0.6 microseconds.
pub(crate) fn processor() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// CPU time of the thread `id` of this process; `None` if it is gone, or the system cannot tell.
#[cfg(target_os = "linux")]
pub(crate) fn processor_of(id: i32) -> Option<u64> {
    // What pthread_getcpuclockid makes of a thread id: `MAKE_THREAD_CPUCLOCK(id, CPUCLOCK_SCHED)` of linux/posix-timers.h.
    let clock = (!id << 3) | 6;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[allow(unsafe_code, reason = "rustix has no clocks of other threads")]
    // SAFETY: `time` is valid for writing; a clock that does not exist is reported as an error.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (result == 0).then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// CPU time of the thread `id` of this process; `None`: this system cannot tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn processor_of(_id: i32) -> Option<u64> {
    None
}

/// A reading of the calling thread's CPU clock that is not older than a millisecond when a step begins, so that what a
/// step used is known without a reading at the beginning of each.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProcessorMark {
    pub(crate) at: u64,
    pub(crate) processor: u64,
}

/// Steps below this many nanoseconds count as CPU time in full; the mark is this old at most.
pub(crate) const LONG: u64 = 1_000_000;

impl ProcessorMark {
    /// Something begins `now`: renews the mark if it is too old.
    pub(crate) fn begin(&mut self, now: u64) {
        if now.saturating_sub(self.at) >= LONG {
            *self = Self { at: now, processor: processor() };
        }
    }

    /// CPU time of what lasted `wall` and ends `now`. What is short counts in full.
    pub(crate) fn end(&mut self, wall: u64, now: u64) -> u64 {
        if wall < LONG {
            return wall;
        }
        let processor = processor();
        let used = processor.saturating_sub(self.processor);
        *self = Self { at: now, processor };
        used.min(wall)
    }
}
