//! What an exchange has used of its worker, as a payload: 48 bytes, little-endian.
//!
//! ```text
//!   0 loop_longest  8 loop_total  16 loop_processor  24 thread_total  32 thread_processor   (nanoseconds, u64)
//!  40 excuses (u8)  41-47 reserved, zero
//! ```
//! Carried by [`crate::FromWorker::Finished`] (all of it) and [`crate::FromWorker::Usage`] (so far). The worker
//! measures in steps: one run of the exchange's Task from one suspension to the next, or one call on a thread.

use std::time::Duration;

use crate::{WireError, codec::Reader};

/// Length of an encoded [`Usage`] in bytes.
pub const USAGE_LENGTH: usize = 48;

/// Why a long step is not the fault of the code that ran in it: without the excuse it would not have been long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Excuses(pub u8);

impl Excuses {
    /// The code itself took the time.
    pub const NONE: Excuses = Excuses(0);
    /// Most of it was garbage collection.
    pub const GARBAGE_COLLECTION: Excuses = Excuses(1);
    /// Most of it the thread waited for a processor: the machine was busy with other things.
    pub const STARVED: Excuses = Excuses(2);
    /// Most of it the thread waited for the GIL, which another thread held.
    pub const GIL: Excuses = Excuses(4);
    /// Modules were imported in it, as first calls do.
    pub const IMPORTS: Excuses = Excuses(8);

    /// Whether there is any excuse.
    pub const fn any(self) -> bool {
        self.0 != 0
    }

    /// Whether every excuse of `other` holds.
    pub const fn contains(self, other: Excuses) -> bool {
        self.0 & other.0 == other.0
    }

    /// These excuses, and those of `other` if `condition` holds.
    #[must_use]
    pub const fn with(self, other: Excuses, condition: bool) -> Excuses {
        if condition { Excuses(self.0 | other.0) } else { self }
    }
}

/// What an exchange has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// The longest step on the event loop.
    pub loop_longest: Duration,
    /// All steps on the event loop.
    pub loop_total: Duration,
    /// CPU time of the loop's thread in those steps. One of less than a millisecond counts in full.
    pub loop_processor: Duration,
    /// All calls on threads, from their start there (not from their submission) to their end.
    pub thread_total: Duration,
    /// CPU time of those calls.
    pub thread_processor: Duration,
    /// Excuses of the longest step on the event loop.
    pub excuses: Excuses,
}

impl Usage {
    /// The bytes of this record. A duration over 584 years is cut.
    pub fn to_bytes(&self) -> [u8; USAGE_LENGTH] {
        let mut bytes = [0; USAGE_LENGTH];
        let durations =
            [self.loop_longest, self.loop_total, self.loop_processor, self.thread_total, self.thread_processor];
        for (field, duration) in bytes.chunks_exact_mut(8).zip(durations) {
            let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
            field.copy_from_slice(&nanoseconds.to_le_bytes());
        }
        bytes[40] = self.excuses.0;
        bytes
    }

    /// Reads a record; what follows it in the payload is left for later versions.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload.get(..USAGE_LENGTH).ok_or(WireError::Truncated)?);
        let mut duration = || reader.u64().map(Duration::from_nanos);
        Ok(Self {
            loop_longest: duration()?,
            loop_total: duration()?,
            loop_processor: duration()?,
            thread_total: duration()?,
            thread_processor: duration()?,
            excuses: Excuses(reader.u8()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_put(times in any::<[u64; 5]>(), excuses in any::<u8>()) {
            let [loop_longest, loop_total, loop_processor, thread_total, thread_processor] =
                times.map(Duration::from_nanos);
            let usage = Usage {
                loop_longest,
                loop_total,
                loop_processor,
                thread_total,
                thread_processor,
                excuses: Excuses(excuses),
            };
            prop_assert_eq!(Usage::parse(&usage.to_bytes()), Ok(usage));
        }

        #[test]
        fn hostile_records_never_panic(payload in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(Usage::parse(&payload).is_ok(), payload.len() >= USAGE_LENGTH);
        }
    }
}
