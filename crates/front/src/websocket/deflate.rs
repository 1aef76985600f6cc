//! Compressing and decompressing messages (RFC 7692 section 7.2). A message is a deflate stream that ends in a sync
//! flush whose last four bytes are left out.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{close::Violation, offer::Agreement};

/// What a sync flush ends in.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Room that is made for output at a time.
const LEAST_ROOM: usize = 1024;
const MOST_ROOM: usize = 64 * 1024;

/// Level 1: a JSON message of 125 bytes took 0.23 us and became 31 bytes, with zlib's usual 6 it took 2.3 us and became
/// 30; a megabyte at once took 1.4 ms and became 193 kB, with 6 it took 2.9 ms and became 125 kB (zlib-rs 0.6, one
/// run). This runs on the front's thread, and most messages are small.
const LEVEL: u32 = 1;

/// Compresses what goes to the client. The compressor (200 KiB) is made with the first message.
#[derive(Debug)]
pub(crate) struct Deflater {
    compress: Option<Compress>,
    agreement: Agreement,
}

impl Deflater {
    pub(crate) fn new(agreement: Agreement) -> Self {
        Self { compress: None, agreement }
    }

    /// Appends a piece of a message, compressed; `last` ends the message. False if zlib failed, which leaves the
    /// stream unusable.
    #[must_use]
    pub(crate) fn compress(&mut self, mut piece: &[u8], last: bool, out: &mut Vec<u8>) -> bool {
        let bits = self.agreement.server_bits;
        let compress =
            self.compress.get_or_insert_with(|| Compress::new_with_window_bits(Compression::new(LEVEL), false, bits));
        let start = out.len();
        loop {
            out.reserve(piece.len().clamp(LEAST_ROOM, MOST_ROOM));
            let before = compress.total_in();
            if compress.compress_vec(piece, out, FlushCompress::Sync).is_err() {
                return false;
            }
            piece = &piece[(compress.total_in() - before) as usize..];
            // Room that is left means that the flush is complete.
            if piece.is_empty() && out.len() < out.capacity() {
                break;
            }
        }
        if last {
            if out[start..].ends_with(&TAIL) {
                out.truncate(out.len() - TAIL.len());
            }
            // Nothing at all would be no deflate block; one empty block without its end is (section 7.2.3.6).
            if out.len() == start {
                out.push(0);
            }
            if self.agreement.server_no_takeover {
                compress.reset();
            }
        }
        true
    }
}

/// Decompresses what comes from the client. The decompressor (18 KiB) is made with the first message.
#[derive(Debug)]
pub(crate) struct Inflater {
    decompress: Option<Decompress>,
    agreement: Agreement,
}

impl Inflater {
    pub(crate) fn new(agreement: Agreement) -> Self {
        Self { decompress: None, agreement }
    }

    /// Appends a piece of a message, decompressed, as long as `out` stays within `limit`.
    pub(crate) fn decompress(&mut self, mut piece: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), Violation> {
        // A larger window than the client's does no harm, and zlib knows none of 8 bits.
        let bits = self.agreement.client_bits.unwrap_or(15).max(9);
        let decompress = self.decompress.get_or_insert_with(|| Decompress::new_with_window_bits(false, bits));
        loop {
            // One byte beyond the limit shows that the message goes on, and bounds what a small bomb can cost.
            let room = (piece.len() * 4).clamp(LEAST_ROOM, MOST_ROOM).min(limit + 1 - out.len());
            out.reserve(room);
            let (taken_before, made_before) = (decompress.total_in(), out.len());
            let status = decompress.decompress_vec(piece, out, FlushDecompress::Sync);
            let status = status.map_err(|_| Violation::Protocol("invalid deflate data"))?;
            let taken = (decompress.total_in() - taken_before) as usize;
            piece = &piece[taken..];
            if out.len() > limit {
                return Err(Violation::TooLarge);
            }
            let stuck = taken == 0 && out.len() == made_before;
            match status {
                // A final block (section 7.2.3.4) ends the stream; what follows begins a new one.
                Status::StreamEnd => decompress.reset(false),
                Status::Ok | Status::BufError if piece.is_empty() && out.len() < out.capacity() => return Ok(()),
                Status::Ok | Status::BufError if stuck => return Err(Violation::Protocol("invalid deflate data")),
                Status::Ok | Status::BufError => {}
            }
        }
    }

    /// Ends a message.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<(), Violation> {
        self.decompress(&TAIL, out, limit)?;
        if self.agreement.client_no_takeover
            && let Some(decompress) = &mut self.decompress
        {
            decompress.reset(false);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agreement(no_takeover: bool) -> Agreement {
        Agreement {
            server_bits: 12,
            client_bits: Some(12),
            server_no_takeover: no_takeover,
            client_no_takeover: no_takeover,
        }
    }

    fn inflate(inflater: &mut Inflater, bytes: &[u8], limit: usize) -> Result<Vec<u8>, Violation> {
        let mut out = Vec::new();
        inflater.decompress(bytes, &mut out, limit)?;
        inflater.finish(&mut out, limit)?;
        Ok(out)
    }

    #[test]
    fn examples_of_the_rfc_are_decompressed() {
        // RFC 7692 section 7.2.3: one block, the same with its window kept, stored, final, and two blocks.
        let mut inflater = Inflater::new(agreement(false));
        for example in [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
            &[0xf2, 0x00, 0x11, 0x00, 0x00],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ] {
            assert_eq!(inflate(&mut inflater, example, 100).unwrap(), b"Hello");
        }
    }

    #[test]
    fn empty_message_is_one_byte() {
        let mut deflater = Deflater::new(agreement(false));
        let mut inflater = Inflater::new(agreement(false));
        for _ in 0..3 {
            let mut out = Vec::new();
            assert!(deflater.compress(b"", true, &mut out));
            assert!(!out.is_empty());
            assert_eq!(inflate(&mut inflater, &out, 10).unwrap(), b"");
        }
    }

    #[test]
    fn bomb_is_stopped_at_the_limit() {
        let mut deflater = Deflater::new(agreement(false));
        let mut out = Vec::new();
        assert!(deflater.compress(&vec![0; 10_000_000], true, &mut out));
        assert!(out.len() < 100_000);
        let mut data = Vec::new();
        let mut inflater = Inflater::new(agreement(false));
        assert_eq!(inflater.decompress(&out, &mut data, 1_000_000), Err(Violation::TooLarge));
        assert!(data.capacity() <= 2_100_000);
    }

    #[test]
    fn message_of_exactly_the_limit_passes() {
        let mut deflater = Deflater::new(agreement(false));
        let mut out = Vec::new();
        assert!(deflater.compress(&[7; 5000], true, &mut out));
        assert_eq!(inflate(&mut Inflater::new(agreement(false)), &out, 5000).unwrap().len(), 5000);
        assert!(inflate(&mut Inflater::new(agreement(false)), &out, 4999).is_err());
    }

    proptest! {
        #[test]
        fn messages_in_pieces_come_back_whole(
            messages in proptest::collection::vec(
                proptest::collection::vec(proptest::collection::vec(0u8..4, 0..3000), 1..4),
                1..5,
            ),
            no_takeover: bool,
        ) {
            let mut deflater = Deflater::new(agreement(no_takeover));
            let mut inflater = Inflater::new(agreement(no_takeover));
            for pieces in messages {
                let mut out = Vec::new();
                for (at, piece) in pieces.iter().enumerate() {
                    prop_assert!(deflater.compress(piece, at + 1 == pieces.len(), &mut out));
                }
                prop_assert_eq!(inflate(&mut inflater, &out, 100_000).unwrap(), pieces.concat());
            }
        }

        #[test]
        fn any_bytes_are_decompressed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = inflate(&mut Inflater::new(agreement(false)), &bytes, 10_000);
        }
    }
}
