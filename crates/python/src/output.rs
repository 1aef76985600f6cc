//! What waits to be written to the wire, and when that is done next.

use std::os::fd::OwnedFd;

use pyo3::PyResult;
use rustix::{
    io::Errno,
    net::{SendFlags, send},
};

/// A write buffer that grew beyond this many bytes in a burst is not kept.
const KEPT_BUFFER: usize = 16 * 1024 * 1024;

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
    /// So many of `bytes` are written: moving the rest to the front at each write would cost more than writing it.
    written: usize,
    pub(crate) flush: Flush,
}

impl Output {
    /// Writes as much as the socket takes now. True if nothing is left. If the front is gone everything is dropped;
    /// that end is seen when the wire is read.
    pub(crate) fn write(&mut self, wire: &OwnedFd) -> PyResult<bool> {
        while self.written < self.bytes.len() {
            match send(wire, &self.bytes[self.written..], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => self.written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::PIPE | Errno::CONNRESET) => break,
                Err(error) => return Err(std::io::Error::from(error).into()),
            }
        }
        self.written = 0;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BUFFER);
        Ok(true)
    }
}

/// When the output is written next.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Flush {
    /// There is nothing to write.
    #[default]
    Idle,
    /// The wire is being read: at the end of that.
    AfterRead,
    /// At the end of this turn of the loop.
    Soon,
    /// When the socket can take more.
    WhenWritable,
}
