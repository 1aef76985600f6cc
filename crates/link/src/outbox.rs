//! Frames on their way to one worker, and the socket that takes them.
//!
//! Frames are written in batches: at the end of the front's turn, when the socket's task runs, or earlier after every
//! few, so that the worker begins with the first of a burst while the front still reads the last.

use std::{io, sync::Arc, task::Waker};

use andon_wire::Queue;
use tokio::net::UnixStream;

/// After so many requests of one turn they are written without waiting for the turn's end. Measured with 32
/// connections: see `docs/performance.md`.
const FLUSH_EVERY: usize = 8;

pub(crate) struct Outbox {
    stream: Arc<UnixStream>,
    pub(crate) queue: Queue,
    requests: usize,
    /// The socket's task, while there is nothing to write.
    waker: Option<Waker>,
}

impl Outbox {
    pub(crate) fn new(stream: Arc<UnixStream>) -> Self {
        Self { stream, queue: Queue::default(), requests: 0, waker: None }
    }

    /// Frames were appended: they are written soon.
    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// A request was appended: it is written soon, or now if it completes a batch.
    pub(crate) fn count_request(&mut self) {
        self.requests += 1;
        if self.requests >= FLUSH_EVERY {
            // What fails here fails again for the socket's task, which ends the link.
            let _ = self.write();
        }
        if !self.queue.is_empty() {
            self.wake();
        }
    }

    /// Writes what the socket takes. `WouldBlock`: there is more.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        self.requests = 0;
        self.queue.write(|slices| match slices {
            [only] => self.stream.try_write(only),
            _ => self.stream.try_write_vectored(slices),
        })
    }

    /// As [`write`](Self::write); if there is nothing left, `waker` is woken when there is more.
    pub(crate) fn write_or_wait(&mut self, waker: &Waker) -> io::Result<()> {
        self.write()?;
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        Ok(())
    }
}
