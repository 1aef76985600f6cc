//! The log on standard error: for people, or for programs with an object of JSON in each line.
//!
//! `2026-11-22T01:02:03.123Z INFO  listening on http://127.0.0.1:8000 with 2 workers`
//!
//! `{"level":"INFO","message":"listening on ...","time":"2026-11-22T01:02:03.123Z"}`
//!
//! A message may have `details`, an object of JSON as text: its members join those of the line.

use std::{fmt, io};

use andon_config::{LogFormat, LogLevel};
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
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
pub(crate) fn start(level: LogLevel, format: LogFormat) {
    let coloured = io::IsTerminal::is_terminal(&io::stderr()) && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(coloured).event_format(Line(format));
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

struct Line(LogFormat);

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = *event.metadata().level();
        if self.0 == LogFormat::Json {
            return writeln!(writer, "{}", object(event, name_and_colour(level).0));
        }
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

/// The message and all that came with it.
fn object(event: &Event<'_>, level: &str) -> Value {
    let mut members = Members::default();
    event.record(&mut members);
    members.0.insert("time".to_owned(), Timestamp::now().to_string().into());
    members.0.insert("level".to_owned(), level.into());
    members.0.into()
}

#[derive(Default)]
struct Members(Map<String, Value>);

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        match serde_json::from_str(&text) {
            Ok(Value::Object(details)) if field.name() == "details" => self.0.extend(details),
            _ => _ = self.0.insert(field.name().to_owned(), text.into()),
        }
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
        formatted(level, LogFormat::Text, write)
    }

    fn formatted(level: LogLevel, format: LogFormat, write: impl FnOnce()) -> Vec<String> {
        let written = Written::default();
        let sink = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || sink.clone())
            .with_ansi(false)
            .event_format(Line(format));
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
    fn object_has_time_level_message_and_the_members_of_its_details() {
        let lines = formatted(LogLevel::Info, LogFormat::Json, || {
            let details = serde_json::json!({ "event": "stall", "line": 3 });
            tracing::warn!(target: "andon_observe", details = %details, "it \"stalled\"\nfor long");
        });
        let told: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!((&told["level"], &told["message"]), (&"WARN".into(), &"it \"stalled\"\nfor long".into()));
        assert_eq!((&told["event"], &told["line"]), (&"stall".into(), &3.into()));
        assert_eq!(told["time"].as_str().map(str::len), Some(24));
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
