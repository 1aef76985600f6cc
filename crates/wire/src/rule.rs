//! What the user says of a route: the part of a [`crate::routes::Route`] that `andon.route(...)` sets.

use std::time::Duration;

use crate::{WireError, codec::Reader};

/// Where the user wants a route to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Run {
    /// On the event loop, whatever was learned.
    Loop = 1,
    /// On a thread.
    Thread = 2,
    /// In the heavy lane.
    Heavy = 3,
}

/// How urgent the user holds a route to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Priority {
    /// After the others.
    Low = 0,
    /// As the others.
    Normal = 1,
    /// Before the others.
    High = 2,
}

/// What `andon.route(...)` says of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rule {
    /// Where it is run.
    pub run: Option<Run>,
    /// How many of its requests may run at once.
    pub concurrency: Option<u32>,
    /// How long a request may take.
    pub timeout: Option<Duration>,
    /// How urgent it is.
    pub priority: Option<Priority>,
}

const HAS_RUN: u8 = 1;
const HAS_CONCURRENCY: u8 = 2;
const HAS_TIMEOUT: u8 = 4;
const HAS_PRIORITY: u8 = 8;

impl Rule {
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        let mark = |condition: bool, bit: u8| if condition { bit } else { 0 };
        out.push(
            mark(self.run.is_some(), HAS_RUN)
                | mark(self.concurrency.is_some(), HAS_CONCURRENCY)
                | mark(self.timeout.is_some(), HAS_TIMEOUT)
                | mark(self.priority.is_some(), HAS_PRIORITY),
        );
        out.push(self.run.map_or(0, |run| run as u8));
        out.push(self.priority.map_or(0, |priority| priority as u8));
        out.extend_from_slice(&self.concurrency.unwrap_or_default().to_le_bytes());
        let timeout = self.timeout.unwrap_or_default().as_nanos();
        out.extend_from_slice(&u64::try_from(timeout).unwrap_or(u64::MAX).to_le_bytes());
    }

    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let present = reader.u8()?;
        let has = |bit: u8| present & bit != 0;
        let (run, priority) = (reader.u8()?, reader.u8()?);
        let (concurrency, timeout) = (reader.u32()?, reader.u64()?);
        Ok(Self {
            run: has(HAS_RUN).then(|| run.try_into()).transpose()?,
            concurrency: has(HAS_CONCURRENCY).then_some(concurrency),
            timeout: has(HAS_TIMEOUT).then_some(Duration::from_nanos(timeout)),
            priority: has(HAS_PRIORITY).then(|| priority.try_into()).transpose()?,
        })
    }
}

impl TryFrom<u8> for Run {
    type Error = WireError;

    fn try_from(byte: u8) -> Result<Self, WireError> {
        match byte {
            1 => Ok(Run::Loop),
            2 => Ok(Run::Thread),
            3 => Ok(Run::Heavy),
            _ => Err(WireError::Invalid("run of a route")),
        }
    }
}

impl TryFrom<u8> for Priority {
    type Error = WireError;

    fn try_from(byte: u8) -> Result<Self, WireError> {
        match byte {
            0 => Ok(Priority::Low),
            1 => Ok(Priority::Normal),
            2 => Ok(Priority::High),
            _ => Err(WireError::Invalid("priority of a route")),
        }
    }
}
