//! What an exchange sends: split into frames, within the credit that the front grants.
//!
//! What finds no credit waits here as a reference to the application's own bytes, and the `send` that brought it is
//! not done before it has gone. So a slow client holds back the application instead of filling memory.

use std::collections::VecDeque;

use andon_wire::{
    FLOW_WINDOW, Flags, FromWorker, Queue,
    frame::{put_frame, put_header},
    queue::SHARED_PAYLOAD,
};
use bytes::Bytes;

/// Longest piece of a long answer in bytes: well below the front's read buffer, so that the front seldom has to move a
/// piece that it has read in part.
const PIECE: usize = 64 * 1024;

/// Bytes that can be held until they are written: the application's own, or what was written for it.
pub(crate) trait Content: AsRef<[u8]> + Send + 'static {}

impl<T: AsRef<[u8]> + Send + 'static> Content for T {}

/// Bytes on their way to the client.
struct Piece {
    kind: FromWorker,
    flags: Flags,
    bytes: Bytes,
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
    pub(crate) fn put_control(&self, out: &mut Queue, kind: FromWorker, flags: Flags, payload: &[u8]) {
        put_frame(out.frames(), kind as u8, flags, self.slot, self.generation, payload);
    }

    /// Puts a response head and as much of the body's first part as one frame and the credit can take.
    pub(crate) fn put_response(&mut self, out: &mut Queue, head: &[u8], bytes: impl Content, end: bool) {
        if self.put_small(out, head, bytes.as_ref(), end) {
            return;
        }
        let mut rest = Bytes::from_owner(bytes);
        let first = rest.split_to(rest.len().min(self.credit).min(PIECE));
        let flags = Flags::NONE.with(Flags::END, end);
        self.put_piece(out, FromWorker::Response, if rest.is_empty() { flags } else { Flags::NONE }, head, first);
        if !rest.is_empty() {
            self.waiting.push_back(Piece { kind: FromWorker::ResponseBody, flags, bytes: rest });
            self.pump(out);
        }
    }

    /// Puts a head and the whole first part of a body, if that is short and the credit can take it. False: nothing was
    /// done.
    #[must_use]
    fn put_small(&mut self, out: &mut Queue, head: &[u8], bytes: &[u8], end: bool) -> bool {
        if !self.is_small(bytes) {
            return false;
        }
        let flags = Flags::NONE.with(Flags::END, end);
        let (kind, length) = (FromWorker::Response as u8, head.len() + bytes.len());
        let out = out.frames();
        put_header(out, kind, flags, self.slot, self.generation, length);
        out.extend_from_slice(head);
        out.extend_from_slice(bytes);
        self.credit -= bytes.len();
        true
    }

    /// Puts bytes of a body or a message. `flags` mark the last frame; of them only `TEXT` the others.
    pub(crate) fn put(&mut self, out: &mut Queue, kind: FromWorker, flags: Flags, bytes: impl Content) {
        if self.waiting.is_empty() && self.is_small(bytes.as_ref()) {
            put_frame(out.frames(), kind as u8, flags, self.slot, self.generation, bytes.as_ref());
            self.credit -= bytes.as_ref().len();
            return;
        }
        self.waiting.push_back(Piece { kind, flags, bytes: Bytes::from_owner(bytes) });
        self.pump(out);
    }

    /// The front has room for so many more bytes.
    pub(crate) fn add_credit(&mut self, out: &mut Queue, bytes: usize) {
        self.credit = self.credit.saturating_add(bytes);
        self.pump(out);
    }

    /// The client is gone: nothing is sent any more. The pieces are given back, to be dropped without a lock.
    pub(crate) fn close(&mut self) -> impl Sized + use<> {
        std::mem::take(&mut self.waiting)
    }

    /// Whether bytes can go at once, by being copied.
    fn is_small(&self, bytes: &[u8]) -> bool {
        bytes.len() < SHARED_PAYLOAD && bytes.len() <= self.credit
    }

    fn pump(&mut self, out: &mut Queue) {
        while let Some(piece) = self.waiting.front_mut() {
            let length = piece.bytes.len().min(self.credit).min(PIECE);
            if length == 0 && !piece.bytes.is_empty() {
                return;
            }
            let (kind, bytes) = (piece.kind, piece.bytes.split_to(length));
            let last = piece.bytes.is_empty();
            let flags = if last { piece.flags } else { piece.flags.without(Flags::END) };
            if last {
                self.waiting.pop_front();
            }
            self.put_piece(out, kind, flags, &[], bytes);
        }
    }

    fn put_piece(&mut self, out: &mut Queue, kind: FromWorker, flags: Flags, head: &[u8], bytes: Bytes) {
        self.credit -= bytes.len();
        let frames = out.frames();
        put_header(frames, kind as u8, flags, self.slot, self.generation, head.len() + bytes.len());
        frames.extend_from_slice(head);
        out.share(bytes);
    }
}
