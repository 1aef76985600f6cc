//! The command `andon`: the one place where the parts are put together.
//!
//! [`run`] is called by the extension module, with the GIL released, and stays until the server has ended:
//!
//! ```text
//!   arguments -> command: Settings -> log -> rules, profiles -> front::bind -> supervisor::start -> front::serve
//!                    |                           |                  |               |
//!                    '--- exit code 2 or 0       '--- 2             '--- 3          '--- 3 or 4
//! ```
//! `andon routes` only asks a Python process what is served natively.
//!
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
mod routes;
mod serve;
mod signals;
mod timestamp;

use std::{ffi::OsString, io::Write, path::PathBuf};

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
        Invocation::Routes(question) => return tell_routes(&question, &python),
        Invocation::Done(code) => return code,
    };
    log::start(settings.logging.level, settings.logging.format);
    exit_code(serve::serve(&settings, python))
}

fn tell_routes(question: &routes::Question, python: &PythonInfo) -> i32 {
    exit_code(question.answer(python).map(|answer| {
        // A reader that has read enough is no error.
        let _ = std::io::stdout().write_all(answer.as_bytes());
    }))
}

fn exit_code(outcome: Result<(), failure::Failure>) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}
