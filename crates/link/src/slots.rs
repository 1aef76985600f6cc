//! The slots of one worker: which exchange each holds, and under which generation.
//!
//! The table is the front's own record; the words in shared memory are what it agrees on with the worker. A frame
//! reaches an exchange only if slot and generation are those of the table, so that a late or forged frame can reach no
//! other exchange than the one which the worker was given.

use std::sync::Arc;

use andon_wire::{
    memory::{SLOT_COUNT, SharedMemory},
    slot::SlotState,
};

use crate::exchange::Cell;

#[derive(Debug, Default)]
struct Entry {
    generation: u32,
    exchange: Option<Arc<Cell>>,
}

/// Slots are handed out last-freed first, so that few words and table entries are in use.
#[derive(Debug)]
pub(crate) struct Slots {
    memory: Arc<SharedMemory>,
    entries: Vec<Entry>,
    free: Vec<u32>,
}

impl Slots {
    pub(crate) fn new(memory: Arc<SharedMemory>) -> Self {
        Self { memory, entries: Vec::new(), free: Vec::new() }
    }

    /// Offers `exchange` in a free slot. `None` if all are taken.
    pub(crate) fn offer(&mut self, exchange: Arc<Cell>) -> Option<(u32, u32)> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.entries.len() < SLOT_COUNT => {
                self.entries.push(Entry::default());
                (self.entries.len() - 1) as u32
            }
            None => return None,
        };
        let entry = &mut self.entries[slot as usize];
        entry.exchange = Some(exchange);
        self.memory.slot(slot)?.offer(entry.generation);
        Some((slot, entry.generation))
    }

    /// The exchange that a frame with `slot` and `generation` is about.
    pub(crate) fn get(&self, slot: u32, generation: u32) -> Option<&Arc<Cell>> {
        let entry = self.entries.get(slot as usize)?;
        if entry.generation == generation { entry.exchange.as_ref() } else { None }
    }

    /// Whether the worker has not started what it was offered in that slot.
    pub(crate) fn is_offered(&self, slot: u32) -> bool {
        self.memory.slot(slot).is_some_and(|word| word.load().0 == SlotState::Offered)
    }

    /// Takes a request back unless its worker has started it. If that succeeds, the slot is free.
    pub(crate) fn recall(&mut self, slot: u32, generation: u32) -> Option<Arc<Cell>> {
        self.get(slot, generation)?;
        if !self.memory.slot(slot)?.recall(generation) {
            return None;
        }
        self.release(slot, generation)
    }

    /// Frees the slot for the next exchange, under the next generation.
    pub(crate) fn release(&mut self, slot: u32, generation: u32) -> Option<Arc<Cell>> {
        let entry = self.entries.get_mut(slot as usize)?;
        if entry.generation != generation {
            return None;
        }
        let exchange = entry.exchange.take()?;
        entry.generation = generation.wrapping_add(1);
        self.memory.slot(slot)?.release(entry.generation);
        self.free.push(slot);
        Some(exchange)
    }

    /// Slot and generation of every exchange, in no particular order.
    pub(crate) fn occupied(&self) -> Vec<(u32, u32)> {
        let numbered = self.entries.iter().enumerate();
        numbered
            .filter(|(_, entry)| entry.exchange.is_some())
            .map(|(slot, entry)| (slot as u32, entry.generation))
            .collect()
    }
}
