//! What an exchange sends: split into frames, within the credit that the front grants.
//!
//! What finds no credit waits here as a reference to the application's own bytes, and the `send` that brought it is
//! not done before it has gone. So a slow client holds back the application instead of filling memory.

use std::collections::VecDeque;

use andon_wire::{FLOW_WINDOW, Flags, FromWorker, frame::put_frame};
use pyo3::pybacked::PyBackedBytes;

/// Longest piece of a long answer in bytes: well below the front's read buffer, so that the front seldom has to move a
/// piece that it has read in part.
const PIECE: usize = 64 * 1024;

/// Bytes on their way to the client.
struct Piece {
    kind: FromWorker,
    flags: Flags,
    bytes: PyBackedBytes,
    sent: usize,
}

/// The flow of one exchange towards the front.
pub(crate) struct Outflow {
    slot: u32,
    generation: u32,
    credit: usize,
    waiting: VecDeque<Piece>,
}

impl Outflow {
    pub(crate) fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation, credit: FLOW_WINDOW, waiting: VecDeque::new() }
    }

    /// Whether all that was given to it has gone.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Puts a frame that needs no credit.
    pub(crate) fn put_control(&self, out: &mut Vec<u8>, kind: FromWorker, flags: Flags, payload: &[u8]) {
        put_frame(out, kind as u8, flags, self.slot, self.generation, payload);
    }

    /// Puts a response head and as much of the body's first part as one frame and the credit can take.
    pub(crate) fn put_response(&mut self, out: &mut Vec<u8>, head: &[u8], bytes: PyBackedBytes, end: bool) {
        let length = bytes.len().min(self.credit).min(PIECE);
        let whole = length == bytes.len();
        let start = andon_wire::frame::begin_frame(
            out,
            FromWorker::Response as u8,
            Flags::NONE.with(Flags::END, end && whole),
            self.slot,
            self.generation,
        );
        out.extend_from_slice(head);
        out.extend_from_slice(&bytes[..length]);
        let finished = andon_wire::frame::finish_frame(out, start);
        debug_assert!(finished.is_ok(), "the head was checked and the body cut to fit");
        self.credit -= length;
        if !whole {
            let flags = Flags::NONE.with(Flags::END, end);
            self.waiting.push_back(Piece { kind: FromWorker::ResponseBody, flags, bytes, sent: length });
            self.pump(out);
        }
    }

    /// Puts a whole answer, if one frame and the credit can take it. False: nothing was done.
    #[must_use]
    pub(crate) fn put_small(&mut self, out: &mut Vec<u8>, head: &[u8], bytes: &[u8]) -> bool {
        if bytes.len() > self.credit.min(PIECE) {
            return false;
        }
        let kind = FromWorker::Response as u8;
        let start = andon_wire::frame::begin_frame(out, kind, Flags::END, self.slot, self.generation);
        out.extend_from_slice(head);
        out.extend_from_slice(bytes);
        let finished = andon_wire::frame::finish_frame(out, start);
        debug_assert!(finished.is_ok(), "the head was checked and the body is small");
        self.credit -= bytes.len();
        true
    }

    /// Puts bytes of a body or a message. `flags` mark the last frame; of them only `TEXT` the others.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, kind: FromWorker, flags: Flags, bytes: PyBackedBytes) {
        self.waiting.push_back(Piece { kind, flags, bytes, sent: 0 });
        self.pump(out);
    }

    /// The front has room for so many more bytes.
    pub(crate) fn add_credit(&mut self, out: &mut Vec<u8>, bytes: usize) {
        self.credit = self.credit.saturating_add(bytes);
        self.pump(out);
    }

    /// The client is gone: nothing is sent any more. The pieces are given back, to be dropped without a lock.
    pub(crate) fn close(&mut self) -> impl Sized + use<> {
        std::mem::take(&mut self.waiting)
    }

    fn pump(&mut self, out: &mut Vec<u8>) {
        while let Some(piece) = self.waiting.front_mut() {
            let rest = &piece.bytes[piece.sent..];
            let length = rest.len().min(self.credit).min(PIECE);
            if length == 0 && !rest.is_empty() {
                return;
            }
            let last = length == rest.len();
            let flags = if last { piece.flags } else { piece.flags.without(Flags::END) };
            put_frame(out, piece.kind as u8, flags, self.slot, self.generation, &rest[..length]);
            piece.sent += length;
            self.credit -= length;
            if last {
                self.waiting.pop_front();
            }
        }
    }
}
