//! The task that reads and writes one worker's socket.
//!
//! Everything is done in batches: all bytes that are there are read and their frames taken in under one lock; all
//! frames that were put since are written with one call. tokio's queue is first in, first out, so a task that is woken
//! by the first request of a burst runs after the last one of it.

use std::{
    future::poll_fn,
    io,
    os::unix::net::UnixStream as StdStream,
    sync::Arc,
    task::{Context, Poll, ready},
};

use andon_dispatch::WorkerId;
use andon_wire::{WireError, frame::split_frame};
use bytes::{Buf, BytesMut};
use tokio::net::UnixStream;

use crate::Workers;

/// Room for one read, in bytes.
const READ_SIZE: usize = 128 * 1024;

/// A write buffer that grew beyond this many bytes in a burst is not kept.
const KEPT_BUFFER: usize = 1024 * 1024;

/// Why a socket's service ended.
enum End {
    Closed,
    Failed(io::Error),
    Violated(WireError),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        End::Failed(error)
    }
}

/// Serves the socket until its end, and then hands back what the worker had.
pub(crate) async fn serve(workers: Arc<Workers>, id: WorkerId, number: u32, stream: StdStream) {
    let end = match stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream)) {
        Ok(stream) => {
            let mut socket =
                Socket { workers: &workers, id, stream, input: BytesMut::new(), output: Vec::new(), written: 0 };
            poll_fn(|context| socket.poll(context)).await
        }
        Err(error) => End::Failed(error),
    };
    match end {
        End::Closed => {}
        End::Failed(error) => tracing::debug!("worker {number}: its socket failed: {error}"),
        End::Violated(error) => tracing::error!("worker {number} broke the protocol of the wire: {error}"),
    }
    workers.with(|hub| hub.detach(id));
}

struct Socket<'a> {
    workers: &'a Workers,
    id: WorkerId,
    stream: UnixStream,
    input: BytesMut,
    output: Vec<u8>,
    written: usize,
}

impl Socket<'_> {
    /// Ready at the end of the socket.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let read = self.poll_read(context);
        if let Poll::Ready(end) = read {
            return Poll::Ready(end);
        }
        match self.poll_write(context) {
            Poll::Ready(Err(end)) => Poll::Ready(end),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    /// Reads all that is there; pending when there is no more.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            if let Err(error) = ready!(self.stream.poll_read_ready(context)) {
                return Poll::Ready(error.into());
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
                Err(error) => return Poll::Ready(error.into()),
            }
        }
    }

    fn take_in(&mut self) -> Result<(), WireError> {
        self.workers.with(|hub| {
            hub.observe();
            while let Some(frame) = split_frame(&mut self.input)? {
                hub.receive(self.id, frame)?;
            }
            Ok(())
        })
    }

    /// Writes all that was put; ready when there is no more and the hub will wake us for the next.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        loop {
            if self.written == self.output.len() {
                self.written = 0;
                self.output.clear();
                if self.output.capacity() > KEPT_BUFFER {
                    self.output = Vec::new();
                }
                let taken = self.workers.with(|hub| hub.take_out(self.id, &mut self.output, context.waker()));
                if taken.is_none() || self.output.is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
            ready!(self.stream.poll_write_ready(context)).map_err(End::Failed)?;
            let mut rest = &self.output[self.written..];
            match self.stream.try_write(rest) {
                Ok(count) => {
                    rest.advance(count);
                    self.written = self.output.len() - rest.len();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}
