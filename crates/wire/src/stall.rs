//! A stall as a payload: what held the event loop (or the GIL), for how long, of which kind, and where in the code.
//!
//! ```text
//!  0 kind (u8)  1 place (u8)  2 marks (u8)  3 reserved  4 since  12 elapsed  20 processor  (nanoseconds, u64)
//!  28 system call (short text)  .. count of frames (u16), each: marks (u8), line (u32), file, function (short texts)
//! ```
//! The frame's slot and generation name the exchange whose step it was; [`crate::frame::NO_SLOT`]: code that belongs
//! to no exchange. One step can be told of twice: first without a stack, where the stack could not be had at once, and
//! with one if that could be had before the step ended. Both tell the same `since`.

use std::time::Duration;

use crate::{
    WireError,
    codec::{Reader, put_short},
};

/// Most frames of a stack that are told; the outermost ones are left out.
pub const MAX_FRAMES: usize = 64;

/// Longest file name or function name in bytes; longer ones lose their beginning.
pub const MAX_TEXT: usize = 512;

/// What kind of stall it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum StallKind {
    /// The step's thread runs: it computes.
    Computing = 1,
    /// The step's thread sleeps in a system call or waits for a lock.
    Blocked = 2,
    /// The event loop waits for the GIL, which the thread that is named holds; or that thread is not known.
    GilHeld = 3,
    /// The thread wants to run, but the machine is busy with other things.
    Starved = 4,
    /// Garbage collection.
    GarbageCollection = 5,
}

/// On which of the worker's threads the step that is named runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Place {
    /// The event loop.
    EventLoop = 0,
    /// A thread for blocking calls.
    Thread = 1,
}

impl TryFrom<u8> for StallKind {
    type Error = WireError;

    fn try_from(byte: u8) -> Result<Self, WireError> {
        Ok(match byte {
            1 => StallKind::Computing,
            2 => StallKind::Blocked,
            3 => StallKind::GilHeld,
            4 => StallKind::Starved,
            5 => StallKind::GarbageCollection,
            _ => return Err(WireError::Invalid("kind of stall")),
        })
    }
}

impl TryFrom<u8> for Place {
    type Error = WireError;

    fn try_from(byte: u8) -> Result<Self, WireError> {
        match byte {
            0 => Ok(Place::EventLoop),
            1 => Ok(Place::Thread),
            _ => Err(WireError::Invalid("place of a stall")),
        }
    }
}

/// One frame of a Python stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StackFrame {
    /// The file is neither of the standard library, nor installed, nor of this server: the user's own code.
    pub own: bool,
    /// Line in the file, counted from 1; 0 if it is not known.
    pub line: u32,
    /// The file as its code object names it.
    pub file: String,
    /// Name of the function, qualified where the interpreter knows it so.
    pub function: String,
}

/// A stall. The payload of [`crate::FromWorker::Stall`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stall {
    /// What kind of stall it is.
    pub kind: StallKind,
    /// Where the step runs.
    pub place: Place,
    /// When the step began, on the machine's monotonic clock: tells one step from another.
    pub since: Duration,
    /// How long the step had lasted when this was told; it may last longer.
    pub elapsed: Duration,
    /// CPU time that its thread had used in it.
    pub processor: Duration,
    /// Name of the system call in which the thread waits; empty if it waits in none, or it is not known.
    pub system_call: String,
    /// The thread's stack, innermost frame first. `None`: it could not be had, since native code holds the GIL.
    pub frames: Option<Vec<StackFrame>>,
    /// Outer frames were left out.
    pub cut: bool,
}

const HAS_STACK: u8 = 1;
const CUT: u8 = 2;
const OWN: u8 = 1;

impl Stall {
    /// Appends this stall, cutting what is over the limits.
    pub fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let frames = self.frames.as_deref().unwrap_or_default();
        let told = &frames[..frames.len().min(MAX_FRAMES)];
        let mark = |condition: bool, bit: u8| if condition { bit } else { 0 };
        let cut = self.cut || told.len() < frames.len();
        out.extend_from_slice(&[
            self.kind as u8,
            self.place as u8,
            mark(self.frames.is_some(), HAS_STACK) | mark(cut, CUT),
            0,
        ]);
        for duration in [self.since, self.elapsed, self.processor] {
            let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
            out.extend_from_slice(&nanoseconds.to_le_bytes());
        }
        put_short(out, last_part(&self.system_call))?;
        out.extend_from_slice(&(told.len() as u16).to_le_bytes());
        told.iter().try_for_each(|frame| frame.put(out))
    }

    /// Reads a stall.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload);
        let kind = reader.u8()?.try_into()?;
        let place = reader.u8()?.try_into()?;
        let marks = reader.u8()?;
        reader.u8()?;
        let mut duration = || reader.u64().map(Duration::from_nanos);
        let (since, elapsed, processor) = (duration()?, duration()?, duration()?);
        let system_call = text(&mut reader)?;
        let count = usize::from(reader.u16()?);
        if count > MAX_FRAMES {
            return Err(WireError::Invalid("number of stack frames"));
        }
        let frames = (0..count).map(|_| StackFrame::parse(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        let frames = (marks & HAS_STACK != 0).then_some(frames);
        Ok(Self { kind, place, since, elapsed, processor, system_call, frames, cut: marks & CUT != 0 })
    }

    /// The innermost frame of the user's own code.
    pub fn own_frame(&self) -> Option<&StackFrame> {
        self.frames.iter().flatten().find(|frame| frame.own)
    }
}

impl StackFrame {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.push(if self.own { OWN } else { 0 });
        out.extend_from_slice(&self.line.to_le_bytes());
        put_short(out, last_part(&self.file))?;
        put_short(out, last_part(&self.function))
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let own = reader.u8()? & OWN != 0;
        Ok(Self { own, line: reader.u32()?, file: text(reader)?, function: text(reader)? })
    }
}

/// The end of `text` is what tells files and functions apart.
fn last_part(text: &str) -> &[u8] {
    let mut start = text.len().saturating_sub(MAX_TEXT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text.as_bytes()[start..]
}

fn text(reader: &mut Reader<'_>) -> Result<String, WireError> {
    let bytes = reader.short()?;
    if bytes.len() > MAX_TEXT {
        return Err(WireError::Invalid("length of a text"));
    }
    // A file name need not be UTF-8, and the report is for people.
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame() -> impl Strategy<Value = StackFrame> {
        (any::<bool>(), any::<u32>(), ".{0,40}", ".{0,20}").prop_map(|(own, line, file, function)| StackFrame {
            own,
            line,
            file,
            function,
        })
    }

    fn stall(frames: Option<Vec<StackFrame>>) -> Stall {
        Stall {
            kind: StallKind::Blocked,
            place: Place::EventLoop,
            since: Duration::from_secs(7),
            elapsed: Duration::from_millis(120),
            processor: Duration::from_micros(3),
            system_call: "clock_nanosleep".to_owned(),
            frames,
            cut: false,
        }
    }

    proptest! {
        #[test]
        fn a_stall_is_read_as_it_was_put(
            frames in prop::option::of(prop::collection::vec(frame(), 0..8)),
            kind in 1_u8..=5,
            thread in any::<bool>(),
            cut in any::<bool>(),
        ) {
            let place = if thread { Place::Thread } else { Place::EventLoop };
            let stall = Stall { kind: kind.try_into().unwrap(), place, cut, ..stall(frames) };
            let mut payload = Vec::new();
            stall.put(&mut payload).unwrap();
            prop_assert_eq!(Stall::parse(&payload), Ok(stall));
        }

        #[test]
        fn hostile_stalls_never_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Stall::parse(&payload);
        }

        #[test]
        fn a_cut_stall_is_refused(cut in any::<prop::sample::Index>()) {
            let mut payload = Vec::new();
            stall(Some(vec![StackFrame::default(); 3])).put(&mut payload).unwrap();
            prop_assert!(Stall::parse(&payload[..cut.index(payload.len())]).is_err());
        }
    }

    #[test]
    fn deep_stacks_and_long_names_are_cut_from_the_outside() {
        let deep = StackFrame { file: format!("{}é/end.py", "x".repeat(2 * MAX_TEXT)), ..StackFrame::default() };
        let mut payload = Vec::new();
        stall(Some(vec![deep; 2 * MAX_FRAMES])).put(&mut payload).unwrap();
        let told = Stall::parse(&payload).unwrap();
        assert!(told.cut);
        let frames = told.frames.unwrap();
        assert_eq!(frames.len(), MAX_FRAMES);
        assert!(frames[0].file.ends_with("é/end.py"));
    }

    #[test]
    fn the_own_frame_is_the_innermost_one() {
        let frame = |own, line| StackFrame { own, line, ..StackFrame::default() };
        let stall = stall(Some(vec![frame(false, 1), frame(true, 2), frame(true, 3)]));
        assert_eq!(stall.own_frame().map(|frame| frame.line), Some(2));
    }
}
