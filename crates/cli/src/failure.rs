//! Why the server could not start or go on: what is written, and the exit code.

use std::{fmt, io};

use andon_config::RulesError;
use andon_front::BindError;
use andon_supervisor::{Departure, StartError};

/// The command line, the environment or the file of rules is wrong; clap has the same.
const MISTAKEN: i32 = 2;

/// The server could not be started, or the application's lifespan start-up failed.
const NOT_STARTED: i32 = 3;

/// The application could not be loaded.
const NOT_LOADED: i32 = 4;

/// A shell gives this plus the signal's number for a process that a signal ended.
const SIGNALLED: i32 = 128;

/// The end of the server, where it is not a clean one.
#[derive(Debug)]
pub(crate) struct Failure {
    code: i32,
    /// Nothing is written where the cause is the operator's own second signal, or was told by another process.
    message: Option<String>,
}

impl Failure {
    /// Something that the server needs could not be had.
    pub(crate) fn lacking(what: &str, error: &io::Error) -> Self {
        Self { code: NOT_STARTED, message: Some(format!("{what}: {error}")) }
    }

    /// Another process failed and has said why; `code` is its exit code, if it has one.
    pub(crate) fn explained(code: Option<i32>) -> Self {
        Self { code: code.unwrap_or(NOT_STARTED), message: None }
    }

    /// A second signal ended everything at once.
    pub(crate) fn interrupted(signal: i32) -> Self {
        Self { code: SIGNALLED + signal, message: None }
    }

    /// The application `target` did not start.
    pub(crate) fn not_started(target: &str, error: &StartError) -> Self {
        let code = if matches!(error, StartError::Load { .. }) { NOT_LOADED } else { NOT_STARTED };
        let mut message = match error.text().map(str::trim_end) {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => format!("`{target}`: {error}"),
        };
        if !message.contains("\n\nhint: ") {
            message += &format!("\n\nhint: {}", hint(error));
        }
        Self { code, message: Some(message) }
    }

    pub(crate) fn exit_code(&self) -> i32 {
        self.code
    }

    /// Writes the message to standard error.
    pub(crate) fn print(&self) {
        if self.message.is_some() {
            eprintln!("{self}");
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.message.as_deref().unwrap_or("interrupted"))
    }
}

impl From<RulesError> for Failure {
    fn from(error: RulesError) -> Self {
        Self { code: MISTAKEN, message: Some(error.to_string()) }
    }
}

impl From<BindError> for Failure {
    fn from(error: BindError) -> Self {
        Self { code: NOT_STARTED, message: Some(error.to_string()) }
    }
}

/// What to do, where the worker has not said it.
fn hint(error: &StartError) -> &'static str {
    match error {
        StartError::Load { .. } => "an application is given as `module:attribute`; --app-dir tells where the module is",
        StartError::Startup { .. } => "the start-up code of the application raised this; --lifespan off leaves it out",
        StartError::Died { how: Departure::Killed(9), .. } => {
            "the kernel sends SIGKILL when memory runs out; try fewer --workers"
        }
        StartError::Died { .. } => "what the process wrote is above; a module may end the process when it is imported",
        StartError::Spawn { .. } => "the Python interpreter in whose environment andon is installed must be executable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn application_that_cannot_be_loaded_is_shown_with_its_traceback() {
        let error = StartError::Load { text: "cannot load `main:app`\nTraceback\n".to_owned() };
        let failure = Failure::not_started("main:app", &error);
        assert_eq!(failure.exit_code(), 4);
        let told = "error: cannot load `main:app`\nTraceback\n\nhint: ";
        assert!(failure.to_string().starts_with(told), "{failure}");
    }

    #[test]
    fn hint_of_the_worker_is_the_only_one() {
        let error = StartError::Load { text: "no module `main`\n\nhint: try `app.main:app`".to_owned() };
        assert_eq!(Failure::not_started("main:app", &error).to_string().matches("hint: ").count(), 1);
    }

    #[test]
    fn failed_startup_has_another_exit_code() {
        let failure = Failure::not_started("main:app", &StartError::Startup { text: "KeyError".to_owned() });
        assert_eq!(failure.exit_code(), 3);
    }

    #[test]
    fn death_without_a_word_ends_in_a_hint() {
        let error = StartError::Died { seat: 1, how: Departure::Killed(9) };
        let failure = Failure::not_started("main:app", &error);
        assert_eq!(failure.exit_code(), 3);
        assert!(failure.to_string().contains("\n\nhint: "), "{failure}");
    }

    #[test]
    fn second_signal_gives_the_exit_code_of_a_killed_process() {
        assert_eq!(Failure::interrupted(15).exit_code(), 143);
    }
}
