//! How a worker process came to its end.

use std::{fmt, os::unix::process::ExitStatusExt, process::ExitStatus};

/// The end of a process, in words for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// It ended by itself.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
    /// The system did not say.
    Unknown,
}

impl From<ExitStatus> for Departure {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Departure::Exited(code),
            (None, Some(signal)) => Departure::Killed(signal),
            (None, None) => Departure::Unknown,
        }
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Departure::Exited(code) => write!(formatter, "ended with exit code {code}"),
            Departure::Killed(signal) => match signal_name(*signal) {
                Some(name) => write!(formatter, "was killed by signal {signal} ({name})"),
                None => write!(formatter, "was killed by signal {signal}"),
            },
            Departure::Unknown => formatter.write_str("ended"),
        }
    }
}

/// The names of signals that end processes and have the same number on every Unix.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_code_or_signal() {
        assert_eq!(Departure::Exited(3).to_string(), "ended with exit code 3");
        assert_eq!(Departure::Killed(9).to_string(), "was killed by signal 9 (SIGKILL)");
        assert_eq!(Departure::Killed(34).to_string(), "was killed by signal 34");
    }

    #[test]
    fn raw_status_is_told_apart() {
        assert_eq!(Departure::from(ExitStatus::from_raw(0x0300)), Departure::Exited(3));
        assert_eq!(Departure::from(ExitStatus::from_raw(9)), Departure::Killed(9));
    }
}
