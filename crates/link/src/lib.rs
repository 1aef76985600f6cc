//! The front's side of the wire, between whoever has requests (crate `front`) and whoever has worker processes (crate
//! `supervisor`).
//!
//! ```text
//!   front --- submit ---> Workers { dispatch, exchanges } --- frames ---> worker
//!         <-- Event ----  Exchange                        <-- frames ---
//!   supervisor --- attach, retire, shutdown ---> Workers --- Notice ---> supervisor
//! ```
//! - [`Workers`] holds everything behind one lock: the dispatcher, the exchanges, and for each worker its slots and
//!   the bytes that wait to be written to it. The lock is held for single steps only and never across an `await`.
//! - An [`Exchange`] is the front's end of one request. Dropping it gives the request up: it is recalled, or, if its
//!   worker has started it, the application is told that the client is gone.
//! - A task per worker (`socket`) reads and writes its socket, in as large batches as there are.

mod busy_poll;
mod clock;
mod exchange;
mod frames;
mod hub;
mod look;
mod outbox;
mod payloads;
mod placement;
mod routes;
mod settings;
mod slots;
mod socket;
mod stalls;
mod trace;
mod worker_link;
mod workers;

pub use andon_dispatch::{RouteId, WorkerId};
pub use exchange::{Event, Exchange, Lost, RequestSender};
pub use placement::Placement;
pub use settings::QueueSettings;
pub use stalls::{HeldUp, StallReport};
pub use workers::{Attached, Notice, Request, Started, Workers};
