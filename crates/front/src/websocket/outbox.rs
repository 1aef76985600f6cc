//! What goes to a client: messages of the application are framed into one buffer, which is written in one piece.

use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{io::AsyncWrite, net::TcpStream};

use super::{
    deflate::Deflater,
    frame::{self, Opcode},
};
use crate::answer_stream::GRANT_STEP;

/// Messages of the application are not taken while this many bytes wait to be written.
const LIMIT: usize = 128 * 1024;

/// A buffer that grew beyond this in a burst is not kept.
const KEPT: usize = 64 * 1024;

/// Messages below this are not compressed: they hardly shrink, and a WebSocket that has no others needs no compressor.
const LEAST_COMPRESSED: usize = 64;

/// Frames that wait to be written.
#[derive(Debug)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    written: usize,
    deflater: Option<Deflater>,
    compressed: Vec<u8>,
    /// Whether the message under way is compressed; `None` between messages.
    message: Option<bool>,
    /// Bytes of the application's that were put here and not granted again yet.
    ungranted: usize,
}

impl Outbox {
    pub(crate) fn new(deflater: Option<Deflater>) -> Self {
        Self { bytes: Vec::new(), written: 0, deflater, compressed: Vec::new(), message: None, ungranted: 0 }
    }

    /// Whether no more should be put before something is written.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() - self.written >= LIMIT
    }

    /// Puts a piece of a message; `last` ends the message. Each piece is a frame of its own, so that a message of any
    /// size passes through without being held whole. False if compression failed: the WebSocket cannot go on.
    #[must_use]
    pub(crate) fn put_message(&mut self, text: bool, piece: &[u8], last: bool) -> bool {
        self.ungranted += piece.len();
        let opcode = match (self.message, text) {
            (Some(_), _) => Opcode::Continuation,
            (None, true) => Opcode::Text,
            (None, false) => Opcode::Binary,
        };
        let worth_it = !last || piece.len() >= LEAST_COMPRESSED;
        let compressed = self.message.unwrap_or(self.deflater.is_some() && worth_it);
        let payload = match self.deflater.as_mut().filter(|_| compressed) {
            Some(deflater) => {
                self.compressed.clear();
                if !deflater.compress(piece, last, &mut self.compressed) {
                    return false;
                }
                &self.compressed
            }
            None => piece,
        };
        let bit = compressed && opcode != Opcode::Continuation;
        frame::put_header(&mut self.bytes, last, bit, opcode, payload.len());
        self.bytes.extend_from_slice(payload);
        self.message = (!last).then_some(compressed);
        true
    }

    /// Puts a control frame, which may come between the pieces of a message.
    pub(crate) fn put_control(&mut self, opcode: Opcode, payload: &[u8]) {
        frame::put(&mut self.bytes, opcode, payload);
    }

    /// Writes what there is; ready once all of it is written.
    pub(crate) fn poll_write(&mut self, socket: &mut TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.bytes.len() {
            let written = ready!(Pin::new(&mut *socket).poll_write(context, &self.bytes[self.written..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        self.written = 0;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        Poll::Ready(Ok(()))
    }

    /// Bytes to grant to the application, after all was written; `None` while they are too few to be worth a frame.
    pub(crate) fn take_grant(&mut self) -> Option<usize> {
        (self.ungranted >= GRANT_STEP).then(|| mem::take(&mut self.ungranted))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::offer::Agreement, *};

    fn deflating() -> Outbox {
        let agreement =
            Agreement { server_bits: 12, client_bits: None, server_no_takeover: false, client_no_takeover: false };
        Outbox::new(Some(Deflater::new(agreement)))
    }

    #[test]
    fn pieces_of_a_message_are_its_fragments() {
        let mut outbox = Outbox::new(None);
        assert!(outbox.put_message(true, b"ab", false));
        outbox.put_control(Opcode::Ping, b"");
        assert!(outbox.put_message(true, b"c", true));
        assert!(outbox.put_message(false, b"d", true));
        assert_eq!(outbox.bytes, b"\x01\x02ab\x89\x00\x80\x01c\x82\x01d");
    }

    #[test]
    fn short_messages_are_not_compressed_and_long_ones_are() {
        let mut outbox = deflating();
        assert!(outbox.put_message(true, b"short", true));
        assert_eq!(outbox.bytes, b"\x81\x05short");
        outbox.bytes.clear();
        assert!(outbox.put_message(true, &[b'a'; 1000], true));
        assert_eq!(outbox.bytes[0], 0xc1);
        assert!(outbox.bytes.len() < 50);
    }

    #[test]
    fn only_the_first_fragment_of_a_compressed_message_has_the_bit() {
        let mut outbox = deflating();
        assert!(outbox.put_message(true, b"a", false));
        assert_eq!(outbox.bytes[0], 0x41);
        outbox.bytes.clear();
        assert!(outbox.put_message(true, b"b", true));
        assert_eq!(outbox.bytes[0], 0x80);
    }

    #[test]
    fn grants_come_in_steps() {
        let mut outbox = Outbox::new(None);
        assert!(outbox.put_message(false, &vec![0; GRANT_STEP - 1], true));
        assert_eq!(outbox.take_grant(), None);
        assert!(outbox.put_message(false, &[0], true));
        assert_eq!(outbox.take_grant(), Some(GRANT_STEP));
        assert_eq!(outbox.take_grant(), None);
    }
}
