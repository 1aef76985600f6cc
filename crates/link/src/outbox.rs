//! Frames on their way to one worker, and the socket that takes them.
//!
//! Frames are written in batches: at the end of the front's turn, when the socket's task runs, or earlier after every
//! few, so that the worker begins with the first of a burst while the front still reads the last.

use std::{io, sync::Arc, task::Waker};

use tokio::net::UnixStream;

/// After so many requests of one turn they are written without waiting for the turn's end. Measured with 32
/// connections: see `docs/performance.md`.
const FLUSH_EVERY: usize = 8;

/// A buffer that grew beyond this many bytes in a burst is not kept.
const KEPT_BUFFER: usize = 16 * 1024 * 1024;

pub(crate) struct Outbox {
    stream: Arc<UnixStream>,
    /// Whole frames, but for the first, of which `written` bytes are gone.
    pub(crate) bytes: Vec<u8>,
    written: usize,
    requests: usize,
    /// The socket's task, while there is nothing to write.
    waker: Option<Waker>,
}

impl Outbox {
    pub(crate) fn new(stream: Arc<UnixStream>) -> Self {
        Self { stream, bytes: Vec::new(), written: 0, requests: 0, waker: None }
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
        if !self.bytes.is_empty() {
            self.wake();
        }
    }

    /// Writes what the socket takes. `WouldBlock`: there is more.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        self.requests = 0;
        while self.written < self.bytes.len() {
            self.written += self.stream.try_write(&self.bytes[self.written..])?;
        }
        self.written = 0;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BUFFER);
        Ok(())
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
