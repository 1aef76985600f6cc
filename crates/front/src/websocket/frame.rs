//! WebSocket frames (RFC 6455 section 5): headers and masks, on byte slices.
//!
//! ```text
//!   byte 0: FIN RSV1 RSV2 RSV3 opcode(4)    byte 1: MASK length(7)    0, 2 or 8 bytes of length    4 bytes of mask
//! ```

use super::close::Violation;

/// Longest payload of a control frame.
pub(crate) const MAX_CONTROL: usize = 125;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Opcode::Continuation),
            1 => Some(Opcode::Text),
            2 => Some(Opcode::Binary),
            8 => Some(Opcode::Close),
            9 => Some(Opcode::Ping),
            10 => Some(Opcode::Pong),
            _ => None,
        }
    }

    /// Whether frames of this kind may come between the fragments of a message.
    pub(crate) fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// The header of a client's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// The last frame of its message.
    pub(crate) fin: bool,
    /// RSV1: the message is compressed.
    pub(crate) compressed: bool,
    pub(crate) opcode: Opcode,
    /// Payload bytes.
    pub(crate) length: u64,
    pub(crate) mask: [u8; 4],
}

/// Reads a client's frame header and tells its length; `None` while it is not whole. Breaches that the bytes so far
/// show are told at once. `deflate`: whether RSV1 has a meaning on this WebSocket.
pub(crate) fn parse(bytes: &[u8], deflate: bool) -> Result<Option<(FrameHeader, usize)>, Violation> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    let opcode = Opcode::from_bits(first & 0x0f).ok_or(Violation::Protocol("reserved opcode"))?;
    let fin = first & 0x80 != 0;
    let compressed = first & 0x40 != 0;
    if first & 0x30 != 0 || (compressed && !deflate) {
        return Err(Violation::Protocol("reserved bits are set"));
    }
    // RFC 7692 section 6: the bit belongs to the first frame of a message.
    if compressed && (opcode.is_control() || opcode == Opcode::Continuation) {
        return Err(Violation::Protocol("compression bit on the wrong frame"));
    }
    if second & 0x80 == 0 {
        return Err(Violation::Protocol("frame is not masked"));
    }
    let short = second & 0x7f;
    if opcode.is_control() && (!fin || usize::from(short) > MAX_CONTROL) {
        return Err(Violation::Protocol("control frame is fragmented or too long"));
    }
    let Some((length, rest)) = parse_length(short, rest)? else {
        return Ok(None);
    };
    let Some((&mask, rest)) = rest.split_first_chunk::<4>() else {
        return Ok(None);
    };
    Ok(Some((FrameHeader { fin, compressed, opcode, length, mask }, bytes.len() - rest.len())))
}

/// RFC 6455 section 5.2: in as few bytes as possible, and below 2^63.
fn parse_length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    let (length, rest, least) = match short {
        126 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest, 126),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest, 65_536),
            None => return Ok(None),
        },
        short => (short.into(), rest, 0),
    };
    if length < least || length > i64::MAX as u64 {
        return Err(Violation::Protocol("invalid frame length"));
    }
    Ok(Some((length, rest)))
}

/// Appends the header of one of our frames, which are not masked.
pub(crate) fn put_header(out: &mut Vec<u8>, fin: bool, compressed: bool, opcode: Opcode, length: usize) {
    let first = opcode as u8 | if fin { 0x80 } else { 0 } | if compressed { 0x40 } else { 0 };
    match length {
        0..=125 => out.extend_from_slice(&[first, length as u8]),
        126..=65_535 => {
            out.extend_from_slice(&[first, 126]);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.extend_from_slice(&[first, 127]);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// Appends a whole frame of ours.
pub(crate) fn put(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    put_header(out, true, false, opcode, payload.len());
    out.extend_from_slice(payload);
}

/// Takes the mask off bytes that begin `offset` bytes into their frame's payload.
pub(crate) fn unmask(bytes: &mut [u8], mut mask: [u8; 4], offset: usize) {
    mask.rotate_left(offset % 4);
    let [a, b, c, d] = mask;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    // Whole words in chunks of 32 bytes, which the compiler turns into vector instructions.
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (at, byte) in rest.iter_mut().enumerate() {
        *byte ^= mask[at % 4];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn example_of_the_rfc_is_read() {
        // RFC 6455 section 5.7: a masked text frame with "Hello".
        let mut bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let (header, length) = parse(&bytes, false).unwrap().unwrap();
        assert_eq!((header.opcode, header.fin, header.length, length), (Opcode::Text, true, 5, 6));
        unmask(&mut bytes[6..], header.mask, 0);
        assert_eq!(&bytes[6..], b"Hello");
    }

    #[test]
    fn breaches_are_found_in_the_first_two_bytes() {
        for (bytes, what) in [
            ([0x83, 0x80], "reserved opcode"),
            ([0x8b, 0x80], "reserved opcode"),
            ([0xc1, 0x80], "RSV1 without deflate"),
            ([0xa1, 0x80], "RSV2"),
            ([0x91, 0x80], "RSV3"),
            ([0x81, 0x00], "not masked"),
            ([0x09, 0x80], "fragmented ping"),
            ([0x89, 0xfe], "long ping"),
        ] {
            assert!(parse(&bytes, false).is_err(), "{what}");
        }
        assert!(parse(&[0xc0, 0x80], true).is_err(), "RSV1 on a continuation");
        assert!(parse(&[0xc9, 0x80], true).is_err(), "RSV1 on a ping");
    }

    #[test]
    fn lengths_must_be_in_their_shortest_form() {
        assert!(parse(&[0x82, 0xfe, 0, 125, 0, 0, 0, 0], false).is_err());
        assert!(parse(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], false).is_err());
        assert!(parse(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], false).is_err());
    }

    proptest! {
        #[test]
        fn what_is_put_is_what_is_parsed(length in 0usize..200_000, fin: bool, mask: [u8; 4]) {
            let mut bytes = Vec::new();
            put_header(&mut bytes, fin, false, Opcode::Binary, length);
            bytes[1] |= 0x80;
            for cut in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..cut], false), Ok(None));
            }
            bytes.extend_from_slice(&mask);
            let header = FrameHeader { fin, compressed: false, opcode: Opcode::Binary, length: length as u64, mask };
            prop_assert_eq!(parse(&bytes, false), Ok(Some((header, bytes.len()))));
        }

        #[test]
        fn any_bytes_are_parsed_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20), deflate: bool) {
            if let Ok(Some((_, length))) = parse(&bytes, deflate) {
                prop_assert!(length <= bytes.len());
            }
        }

        #[test]
        fn unmasking_in_pieces_is_unmasking_at_once(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
            mask: [u8; 4],
            cut in 0usize..100,
        ) {
            let cut = cut.min(bytes.len());
            let mut pieces = bytes.clone();
            unmask(&mut pieces[..cut], mask, 0);
            unmask(&mut pieces[cut..], mask, cut);
            let naive: Vec<u8> = bytes.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]).collect();
            prop_assert_eq!(pieces, naive);
        }
    }
}
