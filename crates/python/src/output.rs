//! What waits to be written to the wire, and when that is done next.

use std::{
    io::{self, IoSlice},
    os::fd::OwnedFd,
};

use andon_wire::Queue;
use pyo3::PyResult;
use rustix::{
    io::Errno,
    net::{SendAncillaryBuffer, SendFlags, send, sendmsg},
};

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Output {
    pub(crate) queue: Queue,
    pub(crate) flush: Flush,
}

impl Output {
    /// Writes as much as the socket takes now. True if nothing is left. If the front is gone everything is dropped;
    /// that end is seen when the wire is read.
    ///
    /// Payloads that were written are left in the queue, to be [taken](Queue::take_spent) and dropped without a lock.
    pub(crate) fn write(&mut self, wire: &OwnedFd) -> PyResult<bool> {
        match self.queue.write(|slices| send_slices(wire, slices)) {
            Ok(()) => Ok(true),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::AGAIN) => Ok(false),
                Some(Errno::PIPE | Errno::CONNRESET) => {
                    self.queue.clear();
                    Ok(true)
                }
                _ => Err(error.into()),
            },
        }
    }
}

fn send_slices(wire: &OwnedFd, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    loop {
        let sent = match slices {
            [only] => send(wire, only, flags),
            _ => sendmsg(wire, slices, &mut SendAncillaryBuffer::default(), flags),
        };
        match sent {
            Err(Errno::INTR) => {}
            sent => return Ok(sent?),
        }
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
