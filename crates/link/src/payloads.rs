//! Memory for the payloads of frames, used again.
//!
//! A payload is copied out of the read buffer, so that it can be filled again at once. Long answers would have ever new
//! memory mapped and given back for these copies, which costs far more than the copying: see `docs/performance.md`.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;

/// A payload below so many bytes is left to the allocator.
const POOLED: usize = 16 * 1024;

/// So many buffers are kept at most: 8 MiB, if each holds the longest piece of an answer.
const KEPT: usize = 128;

/// Copies payloads.
#[derive(Clone, Default)]
pub(crate) struct Payloads {
    /// By address. The lowest are used first and kept longest, for most allocators give memory back from the top.
    free: Arc<Mutex<BTreeMap<usize, Vec<u8>>>>,
}

impl Payloads {
    /// A copy of `payload`, whose memory is used again once nobody holds it any more.
    pub(crate) fn copy(&self, payload: &[u8]) -> Bytes {
        if payload.len() < POOLED {
            return Bytes::copy_from_slice(payload);
        }
        let mut bytes = self.free.lock().pop_first().map_or_else(Vec::new, |(_, bytes)| bytes);
        bytes.extend_from_slice(payload);
        Bytes::from_owner(Payload { bytes, home: self.clone() })
    }
}

struct Payload {
    bytes: Vec<u8>,
    home: Payloads,
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut free = self.home.free.lock();
        free.insert(bytes.as_ptr().addr(), bytes);
        if free.len() > KEPT {
            free.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_copied_into_the_memory_of_one_that_nobody_holds() {
        let payloads = Payloads::default();
        let first = payloads.copy(&[1; POOLED]);
        let place = first.as_ptr();
        let second = payloads.copy(&[2; POOLED]);
        assert_ne!(place, second.as_ptr(), "the first is still held");
        drop(first);
        let third = payloads.copy(&[3; POOLED - 1]);
        assert_ne!(place, third.as_ptr(), "a short one is left to the allocator");
        let fourth = payloads.copy(&[4; POOLED]);
        assert_eq!(place, fourth.as_ptr());
        assert_eq!((&second[..], &third[..], &fourth[..]), (&[2; POOLED][..], &[3; POOLED - 1][..], &[4; POOLED][..]));
    }

    #[test]
    fn no_more_is_kept_than_is_good() {
        let payloads = Payloads::default();
        let held: Vec<_> = (0..2 * KEPT).map(|_| payloads.copy(&[0; POOLED])).collect();
        drop(held);
        assert_eq!(payloads.free.lock().len(), KEPT);
    }
}
