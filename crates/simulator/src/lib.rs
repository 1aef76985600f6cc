//! A model of workers and clients around the real [`andon_dispatch::Dispatcher`]: discrete events, no clock, seeded, so
//! that a run is the same every time. Its tests hold it against queueing theory first and then hold the dispatcher
//! against the experiments; its binary prints the tables of `docs/dispatch.md`.
//!
//! What it leaves out: the time the front and the wire take, and processors shared by processes.

mod execution;
mod load;
mod outcome;
mod random;
mod simulation;
pub mod tables;
pub mod theory;
mod work;
mod worker;

pub use load::{Arrivals, Load};
pub use outcome::{End, Outcome, Outcomes};
pub use random::Random;
pub use simulation::{Simulation, World};
pub use work::{Step, Work};
