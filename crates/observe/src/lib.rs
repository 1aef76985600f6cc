//! What can be seen of the server from outside.
//!
//! - The [access log](AccessLog): one line for each answer, written by a thread of its own so that a slow terminal or
//!   pipe never holds up the front.
//! - The [stall log](StallLog): what held a worker's event loop, where, who had to wait, and what to change.

mod access_log;
mod json_line;
mod line;
mod stall;

pub use access_log::{AccessLog, AccessLogWriter};
pub use line::{Answered, Outcome, Placed};
pub use stall::StallLog;
