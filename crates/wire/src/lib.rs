//! The wire between the front and one worker: what both sides must agree on, and nothing else.
//!
//! Two channels connect a front with a worker:
//! - a Unix stream socket that carries length-prefixed [frames](frame), in both directions;
//! - a [shared memory region](memory) with one word per slot ([`slot`]) and the worker's [state words](state).
//!
//! Everything here is a pure function of bytes or of atomics: no sockets, no clock, no Python. Both halves come in
//! one extension module, so the version check in [`memory`] only guards against a mixed installation. The front
//! treats a worker's bytes as hostile: every decoder returns a [`WireError`] instead of panicking.
//!
//! ```text
//!   front                                             worker
//!   slot := offered(generation)     Request frame --> claim: offered -> claimed   (compare-and-swap)
//!   recall: offered -> free         (compare-and-swap; exactly one of the two wins)
//!                                <-- Response, ResponseBody, Finished frames
//!                                <-- Routes, Usage, Stall frames: what the front may know and need not
//! ```

pub mod codec;
pub mod frame;
pub mod head;
pub mod memory;
pub mod queue;
pub mod routes;
pub mod rule;
pub mod slot;
pub mod stall;
pub mod state;
pub mod usage;
mod watched;
pub mod websocket;

pub use codec::WireError;
pub use frame::{Flags, Frame, FrameHeader, FromWorker, ToWorker};
pub use queue::Queue;
pub use usage::{Excuses, Usage};

/// Bytes of a request body which the front sends together with the head, so that a small request is one frame.
pub const INLINE_BODY_LIMIT: usize = 64 * 1024;

/// Bytes of one exchange that may be under way in one direction before the receiver has granted more.
pub const FLOW_WINDOW: usize = 256 * 1024;

/// Largest payload of one frame in bytes. A sender splits what is larger; a receiver refuses it.
pub const MAX_PAYLOAD: usize = 1024 * 1024;
