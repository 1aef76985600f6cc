//! The supervisor's lines in the log.

use std::fmt;

use crate::{
    StartError,
    fleet::{MemberId, Report},
};

/// What a worker is called in the log.
pub(crate) struct Name {
    pub(crate) seat: u32,
    pub(crate) process_id: u32,
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.seat, self.process_id) {
            (0, _) => formatter.write_str("a worker"),
            (seat, 0) => write!(formatter, "worker {seat}"),
            (seat, process_id) => write!(formatter, "worker {seat} (process {process_id})"),
        }
    }
}

/// Writes a report to the log.
pub(crate) fn log(report: &Report, name: impl Fn(MemberId) -> Name) {
    match report {
        Report::Ready(id) => tracing::debug!("{} is ready", name(*id)),
        Report::Replaced(id) => tracing::info!("{} is ready", name(*id)),
        Report::Died { id, how, delay } if delay.is_zero() => {
            tracing::warn!("{} {how}; another is started", name(*id));
        }
        Report::Died { id, how, delay } => {
            tracing::warn!("{} {how}; another is started in {:.1} s", name(*id), delay.as_secs_f64());
        }
        Report::Left { id, how } => tracing::debug!("{} {how}", name(*id)),
        Report::ReplacementFailed(id, failure) => {
            tracing::error!("{} could not start and is tried again: {}", name(*id), in_words(failure));
        }
        Report::Overdue(id) => tracing::warn!("{} has not ended in time and is killed", name(*id)),
        Report::Resized { from, to } if to > from => {
            tracing::info!("requests wait: the number of workers goes from {from} to {to}");
        }
        Report::Resized { from, to } => tracing::info!("workers are idle: their number goes from {from} to {to}"),
        Report::Rolling => {
            tracing::info!("a new generation of workers is started; the old one serves until it is ready")
        }
        Report::Rolled => tracing::info!("the new generation of workers serves; the old one ends what it has"),
        Report::RollFailed(failure) => {
            tracing::error!("the new generation could not start; the old one goes on serving: {}", in_words(failure));
        }
        Report::FirstFailed(failure) => {
            tracing::error!("{}", in_words(failure));
            tracing::info!("waiting for a change of the code");
        }
    }
}

/// What the worker wrote about the failure, or else what is known of it.
fn in_words(failure: &StartError) -> String {
    match failure.text().map(str::trim_end) {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => failure.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worker_is_named_by_seat_and_process() {
        assert_eq!(Name { seat: 2, process_id: 77 }.to_string(), "worker 2 (process 77)");
        assert_eq!(Name { seat: 2, process_id: 0 }.to_string(), "worker 2");
    }

    #[test]
    fn failure_is_told_in_the_words_of_the_worker() {
        let failure = StartError::Load { text: "cannot load `main:app`\nTraceback\n".to_owned() };
        assert_eq!(in_words(&failure), "cannot load `main:app`\nTraceback");
        assert_eq!(in_words(&StartError::Load { text: String::new() }), "the application could not be loaded");
    }
}
