//! The stall log: what held an event loop or the GIL, where, who had to wait for it, and what to change.
//!
//! [`StallLog`] is fed by one task of the server. It decides which reports are written ([`limit`]), as text for people
//! ([`text`]) or as JSON ([`details`]), with a sentence of advice ([`advice`]). Time comes in with each call.

mod advice;
mod details;
mod limit;
mod text;

use std::time::Duration;

use andon_config::LogFormat;
use andon_link::StallReport;
use andon_wire::stall::StallKind;

use limit::{Limit, Spot};

/// Writes reports of stalls as warnings into the server's log.
#[derive(Debug)]
pub struct StallLog {
    format: LogFormat,
    limit: Limit,
}

impl StallLog {
    /// A log that has reported nothing yet.
    pub fn new(format: LogFormat) -> Self {
        Self { format, limit: Limit::default() }
    }

    /// Writes a report, unless one of the same place in the code was written within the last minute. `now` is the time
    /// since any fixed moment. That the machine was busy with other things is no fault of the code, and only for those
    /// who look closely.
    pub fn report(&mut self, now: Duration, report: &StallReport) {
        if report.stall.kind == StallKind::Starved {
            tracing::debug!("{}", text::headline(report));
            return;
        }
        let Some(left_out) = self.limit.admit(now, Spot::of(report)) else {
            return;
        };
        match self.format {
            LogFormat::Text => tracing::warn!("{}", text::text(report, left_out)),
            LogFormat::Json => {
                tracing::warn!(details = %details::details(report, left_out), "{}", text::headline(report));
            }
        }
    }

    /// Tells how many reports were left out for a minute and more, and by no later report. To be called about once a
    /// minute.
    pub fn flush(&mut self, now: Duration) {
        for (spot, left_out) in self.limit.expire(now) {
            tracing::warn!("{}", text::left_out(&spot, left_out));
        }
    }
}
