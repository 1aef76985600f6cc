//! What waits to be written to a wire, in order.
//!
//! Short frames are copied behind each other, so that one system call writes many. Long payloads are held by reference:
//! copying them would cost as much again as writing them, and what waits behind a slow reader would be there twice.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
};

use bytes::Bytes;

/// A payload of so many bytes or more is worth a reference of its own instead of a copy.
pub const SHARED_PAYLOAD: usize = 16 * 1024;

/// Copied bytes beyond so many are not appended to any more, but to a new buffer: what is written can be given up,
/// even if the other side never reads all of it at once.
const LONGEST_COPY: usize = 1024 * 1024;

/// So many pieces are given to one write.
const SLICES: usize = 32;

/// Frames on their way to the other side, of which the first may be written in part.
#[derive(Default)]
pub struct Queue {
    segments: VecDeque<Segment>,
    /// Copied frames behind all segments.
    tail: Vec<u8>,
    /// So many bytes of the first segment, or of the tail if there is none, are written.
    written: usize,
    /// Payloads that are written, until they are taken.
    spent: Vec<Bytes>,
}

enum Segment {
    Copied(Vec<u8>),
    Shared(Bytes),
}

impl Queue {
    /// Where to append short frames.
    pub fn frames(&mut self) -> &mut Vec<u8> {
        if self.tail.len() >= LONGEST_COPY {
            self.end_tail();
        }
        &mut self.tail
    }

    /// Appends a payload, or its last part, whose frame was begun in [`frames`](Self::frames).
    pub fn share(&mut self, payload: Bytes) {
        if payload.is_empty() {
            return;
        }
        self.end_tail();
        self.segments.push_back(Segment::Shared(payload));
    }

    /// Whether all is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.tail.is_empty()
    }

    /// Writes until nothing is left or `write` fails: it is given what comes next and returns how much of that it
    /// took. No byte is given to it again that it took.
    pub fn write(&mut self, mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>) -> io::Result<()> {
        while !self.segments.is_empty() {
            let count = self.write_segments(&mut write)?;
            self.advance(count);
        }
        while self.written < self.tail.len() {
            self.written += write(&[IoSlice::new(&self.tail[self.written..])])?;
        }
        self.written = 0;
        self.tail.clear();
        Ok(())
    }

    /// The payloads that were written. Dropping one may run code of its owner, for which a lock may be in the way.
    #[must_use]
    pub fn take_spent(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.spent)
    }

    /// Drops all that waits.
    pub fn clear(&mut self) {
        for segment in self.segments.drain(..) {
            if let Segment::Shared(payload) = segment {
                self.spent.push(payload);
            }
        }
        self.tail.clear();
        self.written = 0;
    }

    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            let copied = std::mem::take(&mut self.tail);
            self.segments.push_back(Segment::Copied(copied));
        }
    }

    fn write_segments(&self, write: &mut impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        let waiting = self.segments.iter().map(Segment::bytes).chain([self.tail.as_slice()]);
        for (slice, bytes) in slices.iter_mut().zip(waiting) {
            let skipped = if count == 0 { self.written } else { 0 };
            *slice = IoSlice::new(&bytes[skipped..]);
            count += 1;
        }
        write(&slices[..count])
    }

    /// Gives up what is written after `count` bytes more.
    fn advance(&mut self, count: usize) {
        self.written += count;
        while let Some(first) = self.segments.front() {
            let length = first.bytes().len();
            if self.written < length {
                return;
            }
            self.written -= length;
            match self.segments.pop_front() {
                Some(Segment::Shared(payload)) => self.spent.push(payload),
                Some(Segment::Copied(buffer)) => self.keep(buffer),
                None => {}
            }
        }
    }

    /// Keeps the memory of a written buffer for the frames to come.
    fn keep(&mut self, mut buffer: Vec<u8>) {
        if self.tail.capacity() == 0 {
            buffer.clear();
            self.tail = buffer;
        }
    }
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Shared(payload) => payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Copy(Vec<u8>),
        Share(Vec<u8>),
        /// What the other side takes before it has no more room.
        Write(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        let step = prop_oneof![
            bytes().prop_map(Step::Copy),
            bytes().prop_map(Step::Share),
            (0_usize..120).prop_map(Step::Write),
        ];
        prop::collection::vec(step, 0..60)
    }

    /// A socket that takes `room` bytes, at most seven at a time.
    fn take<'r>(
        taken: &'r mut Vec<u8>,
        room: &'r mut usize,
    ) -> impl FnMut(&[IoSlice<'_>]) -> io::Result<usize> + use<'r> {
        |slices| {
            let count = slices.iter().map(|slice| slice.len()).sum::<usize>().min(*room).min(7);
            if count == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).take(count).collect();
            taken.extend(bytes);
            *room -= count;
            Ok(count)
        }
    }

    proptest! {
        #[test]
        fn every_byte_is_written_once_and_in_order(steps in steps()) {
            let mut queue = Queue::default();
            let (mut expected, mut taken) = (Vec::new(), Vec::new());
            for step in steps {
                match step {
                    Step::Copy(bytes) => {
                        queue.frames().extend_from_slice(&bytes);
                        expected.extend(bytes);
                    }
                    Step::Share(bytes) => {
                        expected.extend_from_slice(&bytes);
                        queue.share(bytes.into());
                    }
                    Step::Write(mut room) => {
                        let done = queue.write(take(&mut taken, &mut room)).is_ok();
                        prop_assert_eq!(done, queue.is_empty());
                    }
                }
            }
            queue.write(take(&mut taken, &mut usize::MAX.clone())).expect("there is room for all");
            prop_assert!(queue.is_empty());
            prop_assert_eq!(taken, expected);
        }
    }

    #[test]
    fn what_is_written_is_given_up_though_something_always_waits() {
        let mut queue = Queue::default();
        let frame = vec![7; LONGEST_COPY / 4];
        for _ in 0..64 {
            queue.frames().extend_from_slice(&frame);
            let mut left = frame.len() - 1;
            let written = queue.write(|slices| {
                let count = slices.iter().map(|slice| slice.len()).sum::<usize>().min(left);
                left -= count;
                if count == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(count) }
            });
            assert!(written.is_err(), "a byte of each frame is still there");
        }
        let held: usize = queue.segments.iter().map(|segment| segment.bytes().len()).sum::<usize>() + queue.tail.len();
        assert!(held < 3 * LONGEST_COPY, "{held} bytes are held for the 64 that wait");
    }

    #[test]
    fn payloads_are_handed_back_once_they_are_written_or_dropped() {
        let mut queue = Queue::default();
        queue.share(Bytes::from_static(b"written"));
        queue.write(|slices| Ok(slices[0].len())).expect("there is room for all");
        assert_eq!(queue.take_spent(), [Bytes::from_static(b"written")]);
        queue.frames().extend_from_slice(b"dropped, too");
        queue.share(Bytes::from_static(b"dropped"));
        queue.clear();
        assert_eq!(queue.take_spent(), [Bytes::from_static(b"dropped")]);
        assert!(queue.is_empty());
    }
}
