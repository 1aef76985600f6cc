//! What can be seen of the server from outside.
//!
//! So far that is the [access log](AccessLog): one line for each answer, written by a thread of its own so that a slow
//! terminal or pipe never holds up the front.

mod access_log;
mod line;

pub use access_log::{AccessLog, AccessLogWriter};
pub use line::{Answered, Outcome};
