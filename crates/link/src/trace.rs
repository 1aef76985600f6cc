//! A record of every decision, for a replay: the dispatcher's settings in the first line, then one
//! [`andon_dispatch::Record`] a line.
//!
//! Written by whoever holds the hub's lock, so it costs the front time; it is for finding out why, not for every day.
//! A file that cannot be written ends the record, never the server.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    time::Duration,
};

use andon_dispatch::{Action, Event, Record, Settings};

#[derive(Debug)]
pub(crate) struct Trace(Option<BufWriter<File>>);

impl Trace {
    /// Makes the file anew and writes its first line.
    pub(crate) fn create(path: &Path, settings: &Settings) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer(&mut file, settings)?;
        file.write_all(b"\n")?;
        Ok(Self(Some(file)))
    }

    pub(crate) fn write(&mut self, now: Duration, event: Event, actions: &[Action]) {
        let Some(file) = &mut self.0 else {
            return;
        };
        let record = Record { now, event, actions: actions.to_vec() };
        let written =
            serde_json::to_writer(&mut *file, &record).map_err(io::Error::from).and_then(|()| file.write_all(b"\n"));
        self.end_if_failed(written);
    }

    /// Writes out what is kept in memory.
    pub(crate) fn flush(&mut self) {
        let flushed = self.0.as_mut().map_or(Ok(()), Write::flush);
        self.end_if_failed(flushed);
    }

    fn end_if_failed(&mut self, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            tracing::error!("the record of decisions ends here: {error}");
            self.0 = None;
        }
    }
}
