//! What an exchange receives: kept until the application asks for it, and paid back to the front as credit.

use std::collections::VecDeque;

use andon_wire::FLOW_WINDOW;
use pyo3::{Py, PyAny};

/// The flow of one exchange from the front: pieces of a body (`bytes`), or WebSocket messages (`bytes` or `str`).
#[derive(Debug, Default)]
pub(crate) struct Inflow {
    pieces: VecDeque<(Py<PyAny>, usize)>,
    /// Bytes taken by the application and not yet paid back.
    owed: usize,
}

impl Inflow {
    /// Appends a piece that was `length` bytes on the wire.
    pub(crate) fn push(&mut self, piece: Py<PyAny>, length: usize) {
        self.pieces.push_back((piece, length));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The next piece for the application.
    pub(crate) fn pop(&mut self) -> Option<Py<PyAny>> {
        let (piece, length) = self.pieces.pop_front()?;
        self.owed += length;
        Some(piece)
    }

    /// Credit to grant now. Small amounts are saved up, so that not every piece costs a frame.
    pub(crate) fn credit(&mut self) -> Option<u32> {
        if self.owed < FLOW_WINDOW / 4 {
            return None;
        }
        let bytes = u32::try_from(self.owed).unwrap_or(u32::MAX);
        self.owed = 0;
        Some(bytes)
    }
}
