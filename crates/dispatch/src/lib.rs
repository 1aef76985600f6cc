//! Which worker a request is given to, and when it is taken back: decisions without sockets, clock or threads.
//!
//! The rule, as a user can be told it:
//! > A request goes to the least busy worker that is free to start it; among equals to the first. If none is free, it
//! > waits in one queue, first come first served, until one is. A worker is free while it takes up what it is offered.
//!
//! [`Dispatcher::step`] takes what has happened and says what to do. Its caller (crate `link`) owns the slots and
//! sockets, carries the actions out, and reports what came of them as further events.

mod dispatcher;
mod event;
mod worker;

pub use dispatcher::Dispatcher;
pub use event::{Action, Event, Refusal, RequestId, Settings, WorkerId};
