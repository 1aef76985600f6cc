//! The task that reads and writes one worker's socket.
//!
//! Everything is done in batches: all bytes that are there are read and their frames taken in under one lock; what was
//! put since is written with one call. tokio's queue is first in, first out, so a task that is woken by the first
//! request of a burst runs after the last one of it.

use std::{
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};

use andon_dispatch::WorkerId;
use andon_wire::{WireError, frame::split_frame};
use bytes::BytesMut;
use tokio::net::UnixStream;

use crate::{Workers, payloads::Payloads};

/// Room for one read, in bytes.
const READ_SIZE: usize = 128 * 1024;

/// Why a socket's service ended.
enum End {
    Closed,
    Failed(io::Error),
    Violated(WireError),
}

/// Serves the socket until its end, and then hands back what the worker had.
pub(crate) async fn serve(workers: Arc<Workers>, id: WorkerId, number: u32, stream: Arc<UnixStream>) {
    let mut socket = Socket { workers: &workers, id, stream, input: BytesMut::new(), payloads: Payloads::default() };
    match poll_fn(|context| socket.poll(context)).await {
        End::Closed => {}
        End::Failed(error) => tracing::debug!("worker {number}: its socket failed: {error}"),
        End::Violated(error) => tracing::error!("worker {number} broke the protocol of the wire: {error}"),
    }
    workers.with(|hub| hub.detach(id));
}

struct Socket<'a> {
    workers: &'a Workers,
    id: WorkerId,
    stream: Arc<UnixStream>,
    input: BytesMut,
    payloads: Payloads,
}

impl Socket<'_> {
    /// Ready at the end of the socket.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        if let Poll::Ready(end) = self.poll_read(context) {
            return Poll::Ready(end);
        }
        self.poll_write(context).map(End::Failed)
    }

    /// Reads all that is there; pending when there is no more.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            if let Err(error) = ready!(self.stream.poll_read_ready(context)) {
                return Poll::Ready(End::Failed(error));
            }
            self.input.reserve(READ_SIZE);
            match self.stream.try_read_buf(&mut self.input) {
                Ok(0) => return Poll::Ready(End::Closed),
                Ok(_) => {
                    if let Err(error) = self.take_in() {
                        return Poll::Ready(End::Violated(error));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(End::Failed(error)),
            }
        }
    }

    fn take_in(&mut self) -> Result<(), WireError> {
        self.workers.with(|hub| {
            hub.observe();
            while let Some(frame) = split_frame(&mut self.input, |payload| self.payloads.copy(payload))? {
                hub.receive(self.id, frame)?;
            }
            Ok(())
        })
    }

    /// Writes all that was put; pending when the hub or the socket will wake this task. Ready if it fails.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            match self.workers.with(|hub| hub.write(self.id, context.waker())) {
                Ok(()) => return Poll::Pending,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(error),
            }
            if let Err(error) = ready!(self.stream.poll_write_ready(context)) {
                return Poll::Ready(error);
            }
        }
    }
}
