//! The wire is read: whole frames are taken in, each is handed to whom it is for.

use std::os::fd::AsFd;

use andon_wire::{
    Flags, FrameHeader, ToWorker,
    frame::{HEADER_LENGTH, parse_credit},
    websocket::Close,
};
use pyo3::prelude::*;
use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};

use super::{Worker, violated};
use crate::exchange::Exchange;

/// The read buffer's length in bytes; it grows for a frame that is larger.
const READ_SIZE: usize = 256 * 1024;

/// After so many frames the answers so far are written: the front works on them while the next ones are made.
const FLUSH_EVERY: usize = 8;

/// What reading the wire came to.
#[pyclass(frozen, eq, eq_int, module = "andon._andon")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There may be more later.
    Continue = 0,
    /// The worker is to end: it was told so, or the front is gone.
    End = 1,
}

/// What was read and is not taken in yet.
#[derive(Default)]
pub(super) struct Input {
    buffer: Vec<u8>,
    filled: usize,
}

impl Worker {
    pub(super) fn take_in(&self, py: Python<'_>) -> PyResult<Turn> {
        let mut input = std::mem::take(&mut *self.input.lock());
        let outcome = self.read_frames(py, &mut input);
        *self.input.lock() = input;
        outcome
    }

    fn read_frames(&self, py: Python<'_>, input: &mut Input) -> PyResult<Turn> {
        if input.buffer.len() < READ_SIZE {
            input.buffer.resize(READ_SIZE, 0);
        }
        let received = recv(self.serving.wire().as_fd(), &mut input.buffer[input.filled..], RecvFlags::DONTWAIT);
        match received {
            Ok((_, 0)) => return Ok(Turn::End),
            Ok((_, count)) => input.filled += count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Turn::Continue),
            Err(Errno::CONNRESET) => return Ok(Turn::End),
            Err(error) => return Err(std::io::Error::from(error).into()),
        }
        let mut turn = Turn::Continue;
        let mut start = 0;
        let mut started = 0;
        while let Some(header) = FrameHeader::parse(&input.buffer[start..input.filled]).map_err(violated)? {
            let end = start + HEADER_LENGTH + header.length as usize;
            if end > input.filled {
                if end - start > input.buffer.len() {
                    input.buffer.resize(end - start, 0);
                }
                break;
            }
            if self.take_frame(py, &header, &input.buffer[start + HEADER_LENGTH..end])? == Turn::End {
                turn = Turn::End;
            }
            start = end;
            started += 1;
            if started % FLUSH_EVERY == 0 {
                self.flush_early()?;
            }
        }
        input.buffer.copy_within(start..input.filled, 0);
        input.filled -= start;
        Ok(turn)
    }

    fn take_frame(&self, py: Python<'_>, header: &FrameHeader, payload: &[u8]) -> PyResult<Turn> {
        let kind = ToWorker::try_from(header.kind).map_err(violated)?;
        match kind {
            ToWorker::Request => self.start(py, header, payload)?,
            ToWorker::Shutdown => return Ok(Turn::End),
            _ => {
                if let Some(exchange) = self.serving.exchange(py, header.slot, header.generation) {
                    deliver(py, exchange.get(), kind, header, payload)?;
                }
            }
        }
        Ok(Turn::Continue)
    }
}

fn deliver(py: Python<'_>, exchange: &Exchange, kind: ToWorker, header: &FrameHeader, payload: &[u8]) -> PyResult<()> {
    let end = header.flags.contains(Flags::END);
    match kind {
        ToWorker::RequestBody => exchange.request_body(py, payload, end),
        ToWorker::Disconnect => exchange.disconnect(py, Close { code: 1006, reason: String::new() }),
        ToWorker::ResponseCredit => exchange.response_credit(py, parse_credit(payload).map_err(violated)?),
        ToWorker::WebSocketMessage => exchange.websocket_message(py, payload, header.flags.contains(Flags::TEXT), end),
        ToWorker::WebSocketDisconnect => exchange.disconnect(py, Close::parse(payload).map_err(violated)?),
        ToWorker::Request | ToWorker::Shutdown => Ok(()),
    }
}
