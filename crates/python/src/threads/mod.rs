//! Threads for code that blocks: `def` endpoints, `run_in_threadpool`, files.
//!
//! Work is started on one awake thread at a time: the next call begins when the running one ends, or when the watch
//! thread sees that it sleeps, or that it computes for long ([`pool::Pool::look`]). So many short calls need no hand-over
//! at all, calls that wait get as many threads as they need, and of calls of one endpoint that compute never two run at
//! a time in a process, where the GIL would only make them take turns.
//!
//! `python/andon/threads.py` brings anyio's work here; nothing in this module knows anyio, but for the thread-local
//! object that it keeps.

mod call;
mod pool;
mod python;
mod seat;
mod state;

pub(crate) use call::Done;
pub(crate) use pool::{Look, Pool, Surroundings};
pub(crate) use python::{Attached, Submission, Threads, is_pool_thread, submit, submit_request};
pub(crate) use seat::{Endpoint, Seat};
