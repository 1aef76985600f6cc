//! The command `andon`: the one place where the parts are put together.
//!
//! [`run`] is called by the extension module, with the GIL released, and stays until the server has ended:
//!
//! ```text
//!   arguments -> command: Settings -> log -> rules, profiles -> front::bind -> supervisor::start -> front::serve
//!                    |                           |                  |               |
//!                    '--- exit code 2 or 0       '--- 2             '--- 3          '--- 3 or 4
//! ```
//! What goes wrong ends here, as a [`Failure`](failure::Failure) with an exit code and, where there is one, a hint.

mod background;
mod command;
mod descriptors;
mod failure;
mod log;
mod profiles;
mod queue;
mod reference;
mod replay;
mod serve;
mod signals;
mod timestamp;

use std::{ffi::OsString, path::PathBuf};

use command::Invocation;

pub use reference::options_reference;
pub use replay::{Replayed, replay_decisions};

/// The interpreter from which `andon` was called.
#[derive(Debug, Clone)]
pub struct PythonInfo {
    /// `sys.executable`: the interpreter of the environment in which Andon is installed.
    pub executable: PathBuf,
}

/// Does what the arguments (without the name of the program) say, and returns the exit code of the process.
///
/// SIGINT, SIGTERM and SIGHUP must have their default actions: handlers of the interpreter would be called as well.
pub fn run(arguments: Vec<OsString>, python: PythonInfo) -> i32 {
    let settings = match command::parse(arguments) {
        Invocation::Serve(settings) => settings,
        Invocation::Done(code) => return code,
    };
    log::start(settings.logging.level, settings.logging.format);
    match serve::serve(&settings, python) {
        Ok(()) => 0,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}
