//! What comes from a client: the read buffer and the messages in it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
};

use super::{
    close::Violation,
    message::{Assembler, Item},
};

/// The read buffer of a WebSocket on which little happens, of which there may be many.
const LEAST_ROOM: usize = 4 * 1024;

/// The read buffer of one that fills it.
const MOST_ROOM: usize = 64 * 1024;

/// Bytes that were read and not yet taken apart. An incomplete header or control frame (at most 139 bytes) may stay in
/// the buffer; of everything else as much is consumed as there is, so a buffer of fixed size is enough for any message.
#[derive(Debug)]
pub(crate) struct Inbox {
    assembler: Assembler,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// What the next step over the buffer gave.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    Item(Item<'a>),
    /// A part of an item; there may be more in the buffer.
    Progress,
    /// More must be read.
    NeedsInput,
}

impl Inbox {
    /// `read` are bytes that came right behind the handshake.
    pub(crate) fn new(assembler: Assembler, read: &[u8]) -> Self {
        let mut buffer = read.to_vec();
        buffer.resize(read.len().max(LEAST_ROOM), 0);
        Self { assembler, buffer, start: 0, end: read.len() }
    }

    /// Takes the next bit out of the buffer.
    pub(crate) fn step(&mut self) -> Result<Step<'_>, Violation> {
        let taken = self.assembler.take(&mut self.buffer[self.start..self.end])?;
        self.start += taken.consumed;
        Ok(match taken.item {
            Some(item) => Step::Item(item),
            None if taken.consumed > 0 => Step::Progress,
            None => Step::NeedsInput,
        })
    }

    /// Reads once; ready with zero at the end of the stream.
    pub(crate) fn poll_read(&mut self, socket: &mut TcpStream, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let mut room = ReadBuf::new(&mut self.buffer[self.end..]);
        ready!(Pin::new(socket).poll_read(context, &mut room))?;
        let count = room.filled().len();
        self.end += count;
        if self.end == self.buffer.len() && self.end < MOST_ROOM {
            self.buffer.resize(self.end * 2, 0);
        }
        Poll::Ready(Ok(count))
    }

    /// Gives back memory that was of use in a burst.
    pub(crate) fn shrink(&mut self) {
        if self.start == self.end && self.buffer.len() > LEAST_ROOM {
            (self.start, self.end) = (0, 0);
            self.buffer = vec![0; LEAST_ROOM];
        }
    }
}
