//! The shared memory of a front and one worker: a header, the state words, the slot words.
//!
//! ```text
//!   0: magic, version, slot count   64: ExecutorState   4096: SlotWord x slot count
//! ```
//! The front creates the region and passes its descriptor to the worker. On Linux it is a sealed memfd, so that no
//! side can shrink it under the other (which would be a SIGBUS); elsewhere an unlinked temporary file.

use std::{
    fs::File,
    io,
    mem::size_of,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicU32, Ordering},
};

use memmap2::MmapRaw;

use crate::{WireError, slot::SlotWord, state::ExecutorState};

const MAGIC: u32 = 0x6e64_6e61;
const VERSION: u32 = 2;
const STATE_OFFSET: usize = 64;
const SLOTS_OFFSET: usize = 4096;

/// Slots of a worker: the most exchanges that it can have at once, WebSockets included. Untouched ones cost no memory.
pub const SLOT_COUNT: usize = 16 * 1024;

const LENGTH: usize = SLOTS_OFFSET + SLOT_COUNT * size_of::<SlotWord>();

#[repr(C)]
struct Header {
    magic: AtomicU32,
    version: AtomicU32,
    slot_count: AtomicU32,
}

/// A mapped region. Dropping it unmaps it; the other side's mapping is not touched.
#[derive(Debug)]
pub struct SharedMemory {
    map: MmapRaw,
    file: File,
}

impl SharedMemory {
    /// Front: makes a region with every slot free.
    pub fn create() -> io::Result<Self> {
        let file = create_file()?;
        let map = MmapRaw::map_raw(&file)?;
        let memory = Self { map, file };
        let header = memory.header();
        header.magic.store(MAGIC, Ordering::Relaxed);
        header.version.store(VERSION, Ordering::Relaxed);
        header.slot_count.store(SLOT_COUNT as u32, Ordering::Relaxed);
        memory.executor().reset();
        Ok(memory)
    }

    /// Worker: maps the region behind `descriptor`, after checking that this version made it.
    pub fn open(descriptor: OwnedFd) -> Result<Self, OpenError> {
        let file = File::from(descriptor);
        if file.metadata()?.len() < LENGTH as u64 {
            return Err(WireError::Layout("it is too short").into());
        }
        let map = MmapRaw::map_raw(&file)?;
        let memory = Self { map, file };
        let header = memory.header();
        if header.magic.load(Ordering::Relaxed) != MAGIC || header.version.load(Ordering::Relaxed) != VERSION {
            return Err(WireError::Layout("magic or version differs").into());
        }
        Ok(memory)
    }

    /// The descriptor to hand to the worker.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    #[allow(unsafe_code, reason = "the one place where the mapped bytes get their types")]
    fn header(&self) -> &Header {
        // SAFETY: the map is LENGTH bytes, page-aligned, lives as long as `self`, and holds only atomics, for which
        // every bit pattern is valid and which the other process may write at any time.
        unsafe { &*self.map.as_ptr().cast::<Header>() }
    }

    /// The state words of the worker's event loop.
    #[allow(unsafe_code, reason = "the one place where the mapped bytes get their types")]
    pub fn executor(&self) -> &ExecutorState {
        // SAFETY: as in `header`; STATE_OFFSET is a multiple of the type's alignment (64) and the type ends before
        // SLOTS_OFFSET (checked at compile time below).
        unsafe { &*self.map.as_ptr().add(STATE_OFFSET).cast::<ExecutorState>() }
    }

    /// The word of a slot; `None` if there is no such slot.
    #[allow(unsafe_code, reason = "the one place where the mapped bytes get their types")]
    pub fn slot(&self, slot: u32) -> Option<&SlotWord> {
        let index = slot as usize;
        if index >= SLOT_COUNT {
            return None;
        }
        // SAFETY: as in `header`; the index is below SLOT_COUNT, so the word lies within LENGTH.
        Some(unsafe { &*self.map.as_ptr().add(SLOTS_OFFSET).cast::<SlotWord>().add(index) })
    }
}

const _: () = assert!(STATE_OFFSET.is_multiple_of(align_of::<ExecutorState>()));
const _: () = assert!(STATE_OFFSET + size_of::<ExecutorState>() <= SLOTS_OFFSET);

/// Why a worker could not map its region.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refused.
    #[error("cannot map the shared memory: {0}")]
    Io(#[from] io::Error),
    /// It is not a region of this version.
    #[error(transparent)]
    Wire(#[from] WireError),
}

#[cfg(target_os = "linux")]
fn create_file() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, SealFlags};

    let descriptor = rustix::fs::memfd_create("andon-worker", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let file = File::from(descriptor);
    file.set_len(LENGTH as u64)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn create_file() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("andon-{}-{:p}", std::process::id(), &LENGTH));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    file.set_len(LENGTH as u64)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Step;

    #[test]
    fn both_sides_see_the_same_words() {
        let front = SharedMemory::create().unwrap();
        let worker = SharedMemory::open(front.descriptor().try_clone_to_owned().unwrap()).unwrap();
        front.slot(5).unwrap().offer(3);
        assert!(worker.slot(5).unwrap().claim(3));
        worker.executor().count_taken();
        assert_eq!(front.executor().taken(), 1);
        worker.executor().begin_step(5, 3, 99);
        assert_eq!(front.executor().step(), Some(Step { slot: 5, generation: 3, since: 99 }));
        worker.executor().end_step();
        assert_eq!(front.executor().step(), None);
    }

    #[test]
    fn a_slot_beyond_the_last_is_none() {
        let memory = SharedMemory::create().unwrap();
        assert!(memory.slot(SLOT_COUNT as u32 - 1).is_some());
        assert!(memory.slot(SLOT_COUNT as u32).is_none());
        assert!(memory.slot(u32::MAX).is_none());
    }

    #[test]
    fn a_file_that_is_no_region_is_refused() {
        let file = create_file().unwrap();
        assert!(matches!(SharedMemory::open(file.into()), Err(OpenError::Wire(_))));
    }
}
