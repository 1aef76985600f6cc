//! The log: one line a message on standard error.
//!
//! `2026-11-22T01:02:03.123Z INFO  listening on http://127.0.0.1:8000 with 2 workers`

use std::{fmt, io};

use andon_config::LogLevel;
use tracing::{Event, Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::timestamp::Timestamp;

/// Writes messages of this level and above from now on. Of other crates' only warnings and errors are written.
pub(crate) fn start(level: LogLevel) {
    let coloured = io::IsTerminal::is_terminal(&io::stderr()) && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(coloured).event_format(Line);
    // A second start in one process keeps the first log.
    let _ = tracing_subscriber::registry().with(lines.with_filter(wanted(filter(level)))).try_init();
}

fn wanted(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("andon", level)
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Critical | LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = *event.metadata().level();
        let (name, colour) = name_and_colour(level);
        if writer.has_ansi_escapes() {
            write!(writer, "\x1b[2m{}\x1b[0m \x1b[{colour}m{name:5}\x1b[0m ", Timestamp::now())?;
        } else {
            write!(writer, "{} {name:5} ", Timestamp::now())?;
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The level's name, and its colour as a terminal's attribute (ECMA-48, SGR).
fn name_and_colour(level: Level) -> (&'static str, u8) {
    match level {
        Level::ERROR => ("ERROR", 31),
        Level::WARN => ("WARN", 33),
        Level::INFO => ("INFO", 32),
        Level::DEBUG => ("DEBUG", 34),
        Level::TRACE => ("TRACE", 35),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines_of(level: LogLevel, write: impl FnOnce()) -> Vec<String> {
        let written = Written::default();
        let sink = written.clone();
        let lines =
            tracing_subscriber::fmt::layer().with_writer(move || sink.clone()).with_ansi(false).event_format(Line);
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(wanted(filter(level))));
        tracing::subscriber::with_default(subscriber, write);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn line_has_time_level_and_message() {
        let lines = lines_of(LogLevel::Info, || tracing::info!(target: "andon_cli", "ready with {} workers", 2));
        let (time, rest) = lines[0].split_once(' ').unwrap();
        assert_eq!((time.len(), rest), (24, "INFO  ready with 2 workers"));
    }

    #[test]
    fn other_crates_are_only_heard_from_warnings_on() {
        let lines = lines_of(LogLevel::Debug, || {
            tracing::info!(target: "notify", "chatter");
            tracing::warn!(target: "notify", "trouble");
            tracing::debug!(target: "andon_link", "detail");
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
    }

    #[test]
    fn critical_shows_errors_only() {
        let lines = lines_of(LogLevel::Critical, || {
            tracing::warn!(target: "andon_cli", "hidden");
            tracing::error!(target: "andon_cli", "shown");
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
    }
}
