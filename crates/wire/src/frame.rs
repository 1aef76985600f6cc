//! Frames: a header of 16 bytes and a payload.
//!
//! ```text
//!  0       4      5       6          8       12           16
//!  | length | kind | flags | reserved | slot  | generation | payload ...
//! ```
//! All integers are little-endian; `length` counts the payload. `slot` and `generation` name the exchange; frames
//! that concern the worker as a whole have slot [`NO_SLOT`]. A generation makes a late frame harmless: it can never
//! reach the next exchange in the same slot.

use bytes::{Buf, Bytes, BytesMut};

use crate::{MAX_PAYLOAD, WireError};

/// Length of a frame header in bytes.
pub const HEADER_LENGTH: usize = 16;

/// The slot of frames that concern the worker as a whole.
pub const NO_SLOT: u32 = u32::MAX;

/// Frames from the front to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ToWorker {
    /// A request head ([`crate::head::RequestHead`]) and the first bytes of its body; `END`: that is all of it.
    Request = 1,
    /// More of a request's body; `END`: the last of it. Sent only within what [`FromWorker::RequestCredit`] granted.
    RequestBody = 2,
    /// The client is gone or the exchange is over for it: nobody reads an answer any more.
    Disconnect = 3,
    /// Four bytes: so many more bytes of the answer may be sent.
    ResponseCredit = 4,
    /// A piece of a WebSocket message; `TEXT` tells its kind, `END` its last piece.
    WebSocketMessage = 5,
    /// The WebSocket is closed ([`crate::websocket::Close`]).
    WebSocketDisconnect = 6,
    /// End the application's lifespan and then the process: nothing more will be offered.
    Shutdown = 7,
}

/// Frames from a worker to the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FromWorker {
    /// The application is loaded and its lifespan has started.
    Ready = 1,
    /// It could not be: one byte of [`StartFailure`], then text for the operator.
    Failed = 2,
    /// A response head ([`crate::head::ResponseHead`]) and the first bytes of the body; `END`: that is all of it.
    Response = 3,
    /// More of the answer's body; `END`: the last of it.
    ResponseBody = 4,
    /// A 1xx head that precedes the answer.
    Informational = 5,
    /// The body is the file at this absolute path; it ends the answer.
    File = 6,
    /// Four bytes: so many more bytes of the request body may be sent.
    RequestCredit = 7,
    /// The WebSocket is accepted: a response head with status 101.
    WebSocketAccept = 8,
    /// A piece of a WebSocket message; `TEXT` tells its kind, `END` its last piece.
    WebSocketMessage = 9,
    /// The application closes the WebSocket ([`crate::websocket::Close`]).
    WebSocketClose = 10,
    /// The application's callable has returned; the slot is free. `FAILED`: it raised, or left its answer unfinished.
    /// Its payload is what it has used ([`crate::usage::Usage`]).
    Finished = 11,
    /// The worker has claimed what it read; sent only when asked for through [`crate::state`].
    Claimed = 12,
    /// What the exchange has used so far ([`crate::usage::Usage`]): ahead of its answer, if the request had `EXPLAIN`.
    Usage = 13,
    /// Something holds the event loop or the GIL ([`crate::stall::Stall`]).
    Stall = 14,
    /// The application's routes ([`crate::routes`]), ahead of `Ready`, if they are known.
    Routes = 15,
}

/// What kept a worker from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum StartFailure {
    /// The application could not be imported.
    Load = 1,
    /// The application was imported, but its lifespan start-up failed.
    Startup = 2,
}

macro_rules! from_byte {
    ($type:ident, $error:expr, $($variant:ident),+ $(,)?) => {
        impl TryFrom<u8> for $type {
            type Error = WireError;

            fn try_from(byte: u8) -> Result<Self, WireError> {
                $(if byte == $type::$variant as u8 {
                    return Ok($type::$variant);
                })+
                Err($error(byte))
            }
        }
    };
}

from_byte!(
    ToWorker,
    WireError::UnknownKind,
    Request,
    RequestBody,
    Disconnect,
    ResponseCredit,
    WebSocketMessage,
    WebSocketDisconnect,
    Shutdown,
);
from_byte!(
    FromWorker,
    WireError::UnknownKind,
    Ready,
    Failed,
    Response,
    ResponseBody,
    Informational,
    File,
    RequestCredit,
    WebSocketAccept,
    WebSocketMessage,
    WebSocketClose,
    Finished,
    Claimed,
    Usage,
    Stall,
    Routes,
);
from_byte!(StartFailure, |_| WireError::Invalid("start failure"), Load, Startup);

/// Marks on a frame. Bits that have no meaning for a frame's kind are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// No mark.
    pub const NONE: Flags = Flags(0);
    /// The body or the message ends with this frame.
    pub const END: Flags = Flags(1);
    /// The WebSocket message is text (UTF-8), not binary.
    pub const TEXT: Flags = Flags(2);
    /// The application failed.
    pub const FAILED: Flags = Flags(4);
    /// What this request has used is to be told ahead of its answer.
    pub const EXPLAIN: Flags = Flags(8);
    /// This request's endpoint is to be run on a thread, though it is a coroutine function.
    pub const THREAD: Flags = Flags(16);

    /// Whether every mark of `other` is set.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// These marks but for those of `other`.
    #[must_use]
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// These marks, and those of `other` if `condition` holds.
    #[must_use]
    pub const fn with(self, other: Flags, condition: bool) -> Flags {
        if condition { Flags(self.0 | other.0) } else { self }
    }
}

/// The fields before a payload. `kind` is still a bare byte: which frames it can name depends on the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Payload bytes.
    pub length: u32,
    /// [`ToWorker`] or [`FromWorker`] as a byte.
    pub kind: u8,
    /// Marks.
    pub flags: Flags,
    /// Slot of the exchange, or [`NO_SLOT`].
    pub slot: u32,
    /// Generation of the slot.
    pub generation: u32,
}

impl FrameHeader {
    /// The sixteen bytes of this header.
    pub fn to_bytes(self) -> [u8; HEADER_LENGTH] {
        let mut bytes = [0; HEADER_LENGTH];
        bytes[0..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4] = self.kind;
        bytes[5] = self.flags.0;
        bytes[8..12].copy_from_slice(&self.slot.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.generation.to_le_bytes());
        bytes
    }

    /// Reads a header from the start of `bytes`; `None` if it is not whole yet.
    pub fn parse(bytes: &[u8]) -> Result<Option<FrameHeader>, WireError> {
        let Some(header) = bytes.first_chunk::<HEADER_LENGTH>() else {
            return Ok(None);
        };
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let length = word(0);
        if length as usize > MAX_PAYLOAD {
            return Err(WireError::TooLarge(length as usize));
        }
        Ok(Some(FrameHeader { length, kind: header[4], flags: Flags(header[5]), slot: word(8), generation: word(12) }))
    }
}

/// A header and its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The fields before the payload.
    pub header: FrameHeader,
    /// As many bytes as `header.length` says.
    pub payload: Bytes,
}

/// Takes the next whole frame off `buffer`; `None` while it is not whole. `copy` has the payload copied, so that the
/// buffer's memory can be filled again at once.
pub fn split_frame(buffer: &mut BytesMut, copy: impl FnOnce(&[u8]) -> Bytes) -> Result<Option<Frame>, WireError> {
    let Some(header) = FrameHeader::parse(buffer)? else {
        return Ok(None);
    };
    let length = header.length as usize;
    if buffer.len() < HEADER_LENGTH + length {
        return Ok(None);
    }
    buffer.advance(HEADER_LENGTH);
    let payload = copy(&buffer[..length]);
    buffer.advance(length);
    Ok(Some(Frame { header, payload }))
}

/// Appends a frame without its payload's length and returns where it begins, for [`finish_frame`].
pub fn begin_frame(out: &mut Vec<u8>, kind: u8, flags: Flags, slot: u32, generation: u32) -> usize {
    let start = out.len();
    out.extend_from_slice(&FrameHeader { length: 0, kind, flags, slot, generation }.to_bytes());
    start
}

/// Sets the length of the frame that [`begin_frame`] put at `start` to all that was appended since.
///
/// A payload over [`MAX_PAYLOAD`] is taken back off `out` and refused, so that `out` always holds whole frames.
pub fn finish_frame(out: &mut Vec<u8>, start: usize) -> Result<(), WireError> {
    let length = out.len() - start - HEADER_LENGTH;
    if length > MAX_PAYLOAD {
        out.truncate(start);
        return Err(WireError::TooLarge(length));
    }
    out[start..start + 4].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(())
}

/// Appends a whole frame. `payload` must not be over [`MAX_PAYLOAD`].
pub fn put_frame(out: &mut Vec<u8>, kind: u8, flags: Flags, slot: u32, generation: u32, payload: &[u8]) {
    put_header(out, kind, flags, slot, generation, payload.len());
    out.extend_from_slice(payload);
}

/// Appends the header of a frame whose whole payload, of `length` bytes, is put behind it. Not over [`MAX_PAYLOAD`].
pub fn put_header(out: &mut Vec<u8>, kind: u8, flags: Flags, slot: u32, generation: u32, length: usize) {
    debug_assert!(length <= MAX_PAYLOAD);
    out.extend_from_slice(&FrameHeader { length: length as u32, kind, flags, slot, generation }.to_bytes());
}

/// The four-byte payload of the credit frames.
pub fn parse_credit(payload: &[u8]) -> Result<usize, WireError> {
    let mut reader = crate::codec::Reader::new(payload);
    Ok(reader.u32()? as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split_all(bytes: &[u8], chunk: usize) -> Result<Vec<Frame>, WireError> {
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        for piece in bytes.chunks(chunk.max(1)) {
            buffer.extend_from_slice(piece);
            while let Some(frame) = split_frame(&mut buffer, Bytes::copy_from_slice)? {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    proptest! {
        #[test]
        fn frames_survive_any_chunking(
            frames in prop::collection::vec((any::<u8>(), any::<u8>(), any::<u32>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..6000)), 0..8),
            chunk in 1_usize..9000,
        ) {
            let mut bytes = Vec::new();
            for (kind, flags, slot, generation, payload) in &frames {
                put_frame(&mut bytes, *kind, Flags(*flags), *slot, *generation, payload);
            }
            let found = split_all(&bytes, chunk).unwrap();
            prop_assert_eq!(found.len(), frames.len());
            for (found, (kind, flags, slot, generation, payload)) in found.iter().zip(&frames) {
                prop_assert_eq!(found.header.kind, *kind);
                prop_assert_eq!(found.header.flags, Flags(*flags));
                prop_assert_eq!((found.header.slot, found.header.generation), (*slot, *generation));
                prop_assert_eq!(&found.payload[..], &payload[..]);
            }
        }

        #[test]
        fn hostile_bytes_never_panic_and_never_yield_more_than_they_hold(
            bytes in prop::collection::vec(any::<u8>(), 0..4096),
            chunk in 1_usize..64,
        ) {
            if let Ok(frames) = split_all(&bytes, chunk) {
                let held: usize = frames.iter().map(|frame| HEADER_LENGTH + frame.payload.len()).sum();
                prop_assert!(held <= bytes.len());
            }
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_its_payload_arrives() {
        let header =
            FrameHeader { length: MAX_PAYLOAD as u32 + 1, kind: 1, flags: Flags::NONE, slot: 0, generation: 0 };
        assert_eq!(FrameHeader::parse(&header.to_bytes()), Err(WireError::TooLarge(MAX_PAYLOAD + 1)));
    }

    #[test]
    fn an_overlong_payload_is_taken_back_whole() {
        let mut out = vec![7];
        let start = begin_frame(&mut out, 1, Flags::NONE, 0, 0);
        out.resize(out.len() + MAX_PAYLOAD + 1, 0);
        assert!(finish_frame(&mut out, start).is_err());
        assert_eq!(out, [7]);
    }

    #[test]
    fn every_kind_is_its_own_byte_and_others_are_unknown() {
        for byte in 0..=u8::MAX {
            assert_eq!(ToWorker::try_from(byte).is_ok(), (1..=7).contains(&byte));
            assert_eq!(FromWorker::try_from(byte).is_ok(), (1..=15).contains(&byte));
        }
        assert_eq!(FromWorker::try_from(FromWorker::Finished as u8), Ok(FromWorker::Finished));
    }
}
