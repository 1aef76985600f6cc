//! From a client's bytes to whole messages: fragments are put together, decompressed, and checked as early as they can
//! be.
//!
//! A message that lies whole and plain in the read buffer, as nearly all do, is unmasked in place and never copied.

use andon_wire::websocket::Close;

use super::{
    close::{self, Violation},
    deflate::Inflater,
    frame::{self, FrameHeader, Opcode},
};

/// Something whole from the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// A message; text has been checked to be UTF-8.
    Message {
        text: bool,
        bytes: &'a [u8],
    },
    Ping(&'a [u8]),
    Pong,
    Close(Close),
}

/// What [`Assembler::take`] made of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken<'a> {
    /// So many bytes of the input are done with. If that is none and there is no item, more input is needed.
    pub(crate) consumed: usize,
    pub(crate) item: Option<Item<'a>>,
}

/// The message whose fragments are coming in.
#[derive(Debug, Clone, Copy)]
struct Partial {
    text: bool,
    compressed: bool,
    /// Bytes of the data that were checked to be UTF-8.
    checked: usize,
}

/// A data frame whose payload is coming in.
#[derive(Debug, Clone, Copy)]
struct Payload {
    header: FrameHeader,
    received: u64,
}

/// Puts the messages of one client together.
#[derive(Debug)]
pub(crate) struct Assembler {
    inflater: Option<Inflater>,
    /// Most bytes of a message.
    limit: usize,
    message: Option<Partial>,
    payload: Option<Payload>,
    /// What there is of the message in `message`; between messages, the memory for the next.
    data: Vec<u8>,
}

/// Memory beyond this is not kept for the next message.
const KEPT: usize = 64 * 1024;

impl Assembler {
    pub(crate) fn new(inflater: Option<Inflater>, limit: usize) -> Self {
        Self { inflater, limit, message: None, payload: None, data: Vec::new() }
    }

    /// Takes in the start of `input`, unmasking it in place.
    pub(crate) fn take<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Taken<'a>, Violation> {
        if self.message.is_none() {
            self.data.clear();
            self.data.shrink_to(KEPT);
        }
        if let Some(payload) = self.payload {
            return self.go_on(payload, input);
        }
        let Some((header, start)) = frame::parse(input, self.inflater.is_some())? else {
            return Ok(Taken { consumed: 0, item: None });
        };
        if header.opcode.is_control() {
            return take_control(header, input, start);
        }
        self.begin(header)?;
        let end = usize::try_from(header.length).ok().and_then(|length| start.checked_add(length));
        match (end.and_then(|end| input.get_mut(start..end)), self.message) {
            (Some(bytes), Some(Partial { text, compressed: false, .. })) if header.fin && self.data.is_empty() => {
                self.message = None;
                let consumed = start + bytes.len();
                frame::unmask(bytes, header.mask, 0);
                if text && simdutf8::basic::from_utf8(bytes).is_err() {
                    return Err(Violation::InvalidText);
                }
                Ok(Taken { consumed, item: Some(Item::Message { text, bytes }) })
            }
            _ => {
                self.payload = Some(Payload { header, received: 0 });
                Ok(Taken { consumed: start, item: self.end_if_complete()? })
            }
        }
    }

    /// Checks a data frame's place among the fragments and its size.
    fn begin(&mut self, header: FrameHeader) -> Result<(), Violation> {
        match (header.opcode, self.message) {
            (Opcode::Continuation, None) => return Err(Violation::Protocol("nothing to continue")),
            (Opcode::Continuation, Some(_)) => {}
            (_, Some(_)) => return Err(Violation::Protocol("message within a message")),
            (opcode, None) => {
                let text = opcode == Opcode::Text;
                self.message = Some(Partial { text, compressed: header.compressed, checked: 0 });
            }
        }
        let compressed = self.message.is_some_and(|message| message.compressed);
        let room = (self.limit - self.data.len()) as u64;
        // A compressed frame is counted as it is decompressed.
        if !compressed && header.length > room { Err(Violation::TooLarge) } else { Ok(()) }
    }

    /// Takes in more of a data frame's payload.
    fn go_on<'a>(&'a mut self, mut payload: Payload, input: &'a mut [u8]) -> Result<Taken<'a>, Violation> {
        let left = payload.header.length - payload.received;
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let bytes = &mut input[..count];
        frame::unmask(bytes, payload.header.mask, (payload.received % 4) as usize);
        payload.received += count as u64;
        self.payload = Some(payload);
        match (self.message.is_some_and(|message| message.compressed), &mut self.inflater) {
            (true, Some(inflater)) => inflater.decompress(bytes, &mut self.data, self.limit)?,
            _ => self.data.extend_from_slice(bytes),
        }
        Ok(Taken { consumed: count, item: self.end_if_complete()? })
    }

    /// Ends the frame if its payload is there, and the message if that was its last frame.
    fn end_if_complete(&mut self) -> Result<Option<Item<'_>>, Violation> {
        let (Some(payload), Some(mut message)) = (self.payload, self.message) else {
            return Ok(None);
        };
        let frame_ends = payload.received == payload.header.length;
        let message_ends = frame_ends && payload.header.fin;
        if message_ends
            && message.compressed
            && let Some(inflater) = &mut self.inflater
        {
            inflater.finish(&mut self.data, self.limit)?;
        }
        if message.text {
            check_text(&self.data, &mut message.checked, message_ends)?;
        }
        if frame_ends {
            self.payload = None;
        }
        self.message = (!message_ends).then_some(message);
        Ok(message_ends.then_some(Item::Message { text: message.text, bytes: &self.data }))
    }
}

/// Checks what has not been checked yet. A character may be incomplete at the end of the data, but not of the message.
fn check_text(data: &[u8], checked: &mut usize, ends: bool) -> Result<(), Violation> {
    match simdutf8::compat::from_utf8(&data[*checked..]) {
        Ok(text) => *checked += text.len(),
        Err(error) if error.error_len().is_none() && !ends => *checked += error.valid_up_to(),
        Err(_) => return Err(Violation::InvalidText),
    }
    Ok(())
}

/// Control frames are short and are taken whole.
fn take_control(header: FrameHeader, input: &mut [u8], start: usize) -> Result<Taken<'_>, Violation> {
    let end = start + header.length as usize;
    let Some(payload) = input.get_mut(start..end) else {
        return Ok(Taken { consumed: 0, item: None });
    };
    frame::unmask(payload, header.mask, 0);
    let item = match header.opcode {
        Opcode::Ping => Item::Ping(payload),
        Opcode::Pong => Item::Pong,
        _ => Item::Close(close::parse(payload)?),
    };
    Ok(Taken { consumed: end, item: Some(item) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::deflate::Deflater, super::offer::Agreement, *};

    const AGREEMENT: Agreement =
        Agreement { server_bits: 12, client_bits: Some(12), server_no_takeover: false, client_no_takeover: false };

    /// A client's frame.
    fn put_masked(out: &mut Vec<u8>, first: u8, payload: &[u8], mask: [u8; 4]) {
        let start = out.len();
        frame::put_header(out, false, false, Opcode::Continuation, payload.len());
        out[start] = first;
        out[start + 1] |= 0x80;
        out.extend_from_slice(&mask);
        out.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    }

    /// What the assembler makes of bytes that arrive in pieces of these sizes: text or not, and the bytes of each message.
    fn assemble(
        assembler: &mut Assembler,
        bytes: &[u8],
        mut sizes: impl Iterator<Item = usize>,
    ) -> Result<Vec<(bool, Vec<u8>)>, Violation> {
        let mut messages = Vec::new();
        let mut buffer = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(sizes.next().unwrap_or(rest.len()).clamp(1, rest.len()));
            buffer.extend_from_slice(piece);
            rest = more;
            loop {
                let taken = assembler.take(&mut buffer)?;
                let (consumed, stuck) = (taken.consumed, taken.consumed == 0 && taken.item.is_none());
                if let Some(Item::Message { text, bytes }) = taken.item {
                    messages.push((text, bytes.to_vec()));
                }
                buffer.drain(..consumed);
                if stuck {
                    break;
                }
            }
        }
        Ok(messages)
    }

    fn fragments() -> impl Strategy<Value = Vec<(String, Vec<usize>)>> {
        proptest::collection::vec((".{0,300}", proptest::collection::vec(0usize..400, 0..4)), 0..6)
    }

    /// Cuts a payload at these places, whether or not they are between characters.
    fn cut(payload: &[u8], mut places: Vec<usize>) -> Vec<&[u8]> {
        places.iter_mut().for_each(|place| *place = (*place).min(payload.len()));
        places.extend([0, payload.len()]);
        places.sort_unstable();
        places.windows(2).map(|pair| &payload[pair[0]..pair[1]]).collect()
    }

    proptest! {
        #[test]
        fn messages_come_back_whole_however_they_are_fragmented_and_read(
            messages in fragments(),
            sizes in proptest::collection::vec(1usize..600, 0..50),
            mask: [u8; 4],
            deflate: bool,
        ) {
            let mut deflater = Deflater::new(AGREEMENT);
            let mut bytes = Vec::new();
            for (text, places) in &messages {
                let mut payload = text.clone().into_bytes();
                if deflate {
                    payload.clear();
                    prop_assert!(deflater.compress(text.as_bytes(), true, &mut payload));
                }
                let pieces = cut(&payload, places.clone());
                for (at, piece) in pieces.iter().enumerate() {
                    let opcode = match (at, deflate) {
                        (0, true) => 0x41,
                        (0, false) => 0x01,
                        _ => 0x00,
                    };
                    let fin = if at + 1 == pieces.len() { 0x80 } else { 0 };
                    put_masked(&mut bytes, opcode | fin, piece, mask);
                    put_masked(&mut bytes, 0x8a, b"pong", mask);
                }
            }
            let inflater = deflate.then(|| Inflater::new(AGREEMENT));
            let mut assembler = Assembler::new(inflater, 10_000);
            let expected: Vec<_> = messages.into_iter().map(|(text, _)| (true, text.into_bytes())).collect();
            prop_assert_eq!(assemble(&mut assembler, &bytes, sizes.into_iter()), Ok(expected));
        }

        #[test]
        fn text_is_accepted_exactly_if_it_is_utf8(
            payload in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0xc3), Just(0xa9)], 0..40),
            places in proptest::collection::vec(0usize..40, 0..4),
            sizes in proptest::collection::vec(1usize..20, 0..20),
        ) {
            let pieces = cut(&payload, places);
            let mut bytes = Vec::new();
            for (at, piece) in pieces.iter().enumerate() {
                let fin = if at + 1 == pieces.len() { 0x80 } else { 0 };
                put_masked(&mut bytes, u8::from(at == 0) | fin, piece, [1, 2, 3, 4]);
            }
            let result = assemble(&mut Assembler::new(None, 1000), &bytes, sizes.into_iter());
            match std::str::from_utf8(&payload) {
                Ok(_) => prop_assert_eq!(result, Ok(vec![(true, payload)])),
                Err(_) => prop_assert_eq!(result, Err(Violation::InvalidText)),
            }
        }

        #[test]
        fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), deflate: bool) {
            let inflater = deflate.then(|| Inflater::new(AGREEMENT));
            let _ = assemble(&mut Assembler::new(inflater, 200), &bytes, std::iter::repeat(7));
        }
    }

    #[test]
    fn invalid_text_is_found_before_its_message_ends() {
        let mut bytes = Vec::new();
        put_masked(&mut bytes, 0x01, b"ab\xffcd", [0; 4]);
        assert_eq!(assemble(&mut Assembler::new(None, 100), &bytes, std::iter::empty()), Err(Violation::InvalidText));
    }

    #[test]
    fn message_over_the_limit_is_refused_by_its_header() {
        let mut bytes = Vec::new();
        put_masked(&mut bytes, 0x82, &[0; 200], [0; 4]);
        assert_eq!(Assembler::new(None, 199).take(&mut bytes[..8]), Err(Violation::TooLarge));
        assert!(Assembler::new(None, 200).take(&mut bytes[..8]).is_ok());
    }
}
