//! Which worker a request is given to, and when it is taken back: decisions without sockets, clock or threads.
//!
//! The rule, as a user can be told it:
//! > A request goes to the least busy worker that is free to start it; among equals to the first. If none is free, it
//! > waits in one queue, first come first served, until one is. A worker is free while it takes up what it is offered.
//! > Routes that were seen to hold an event loop or the GIL wait in a lane of their own; those that hold a loop never
//! > occupy the last worker.
//!
//! `docs/dispatch.md` has the rest of it, in words and figures.
//!
//! [`Dispatcher::step`] takes what has happened and says what to do. Its caller (crate `link`) owns the slots and
//! sockets, carries the actions out, and reports what came of them as further events.

mod arrival;
mod calls;
mod dispatcher;
mod drain;
mod easing;
mod elastic;
mod ending;
mod event;
mod group;
mod looking;
mod placing;
mod profile;
mod queue;
mod record;
mod reserve;
mod route;
mod rule;
mod settings;
mod usage;
mod worker;
mod workers;

pub use dispatcher::Dispatcher;
pub use event::{Action, Arrival, Event, Refusal, RequestId, RouteId, WorkerId};
pub use profile::{Class, SavedProfile};
pub use record::{Departure, Record, replay};
pub use rule::{Executor, Lane, Priority, Reason, RouteRule, Run};
pub use settings::{Elastic, Settings};
pub use usage::{Running, Sight, Usage};
