//! The access log's buffer and the thread that writes it out.
//!
//! Lines are put into one bounded buffer, under a lock that is held for the formatting of a line or for a swap of the
//! buffer, never for a write. The thread waits a moment after the first line so that a busy server pays one wake-up
//! and one `write` for hundreds of lines. What does not fit is dropped and counted: the front never waits.

use std::{
    io::{self, Write},
    mem,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use andon_config::LogFormat;
use parking_lot::{Condvar, Mutex};

use crate::Answered;

/// Bytes of lines that may wait to be written: about ten thousand lines.
const CAPACITY: usize = 1024 * 1024;

/// Bytes at which the thread is woken before its moment is over.
const BATCH: usize = 64 * 1024;

/// How long the first line of a batch may wait for company.
const LINGER: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
struct Pending {
    lines: Vec<u8>,
    dropped: u64,
    closed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Pending>,
    /// Signalled with the first line, with a full batch, and at the end.
    changed: Condvar,
}

/// Takes lines; cheap to clone, and all clones write to one log.
#[derive(Debug, Clone)]
pub struct AccessLog {
    shared: Arc<Shared>,
    format: LogFormat,
}

/// The thread behind an [`AccessLog`]. Dropping it writes out what is there; later lines are dropped.
#[derive(Debug)]
pub struct AccessLogWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl AccessLog {
    /// A log on standard output.
    pub fn stdout(format: LogFormat) -> io::Result<(AccessLog, AccessLogWriter)> {
        Self::start(io::stdout(), format)
    }

    /// A log on `sink`, which only the thread started here will use.
    pub fn start(sink: impl Write + Send + 'static, format: LogFormat) -> io::Result<(AccessLog, AccessLogWriter)> {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("access-log".to_owned()).spawn(move || write_out(&for_thread, sink))?;
        Ok((AccessLog { shared: Arc::clone(&shared), format }, AccessLogWriter { shared, thread: Some(thread) }))
    }

    /// Adds a line. Never waits for the sink.
    pub fn record(&self, answered: &Answered<'_>) {
        let mut pending = self.shared.pending.lock();
        if pending.lines.len() >= CAPACITY || pending.closed {
            pending.dropped += 1;
            return;
        }
        let before = pending.lines.len();
        match self.format {
            LogFormat::Text => answered.put(&mut pending.lines),
            LogFormat::Json => answered.put_json(&mut pending.lines),
        }
        let wake = before == 0 || (before < BATCH && pending.lines.len() >= BATCH);
        drop(pending);
        if wake {
            self.shared.changed.notify_one();
        }
    }
}

impl AccessLogWriter {
    /// Writes out what is there and ends the thread.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for AccessLogWriter {
    fn drop(&mut self) {
        self.shared.pending.lock().closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by it already.
            let _ = thread.join();
        }
    }
}

/// Waits for lines; returns them, how many were dropped meanwhile, and whether these are the last.
fn next_batch(shared: &Shared, spare: Vec<u8>) -> (Vec<u8>, u64, bool) {
    let mut pending = shared.pending.lock();
    while pending.lines.is_empty() && !pending.closed {
        shared.changed.wait(&mut pending);
    }
    if pending.lines.len() < BATCH && !pending.closed {
        shared.changed.wait_for(&mut pending, LINGER);
    }
    let lines = mem::replace(&mut pending.lines, spare);
    (lines, mem::take(&mut pending.dropped), pending.closed)
}

fn write_out(shared: &Shared, mut sink: impl Write) {
    let mut spare = Vec::new();
    let mut works = true;
    loop {
        let (mut lines, dropped, last) = next_batch(shared, spare);
        if works && let Err(error) = sink.write_all(&lines).and_then(|()| sink.flush()) {
            works = false;
            tracing::error!("the access log cannot be written any more: {error}");
        }
        if works && dropped > 0 {
            tracing::warn!("{dropped} lines of the access log were dropped: its output is too slow");
        }
        if last {
            return;
        }
        lines.clear();
        spare = lines;
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;
    use crate::Outcome;

    fn answered(path: &[u8]) -> Answered<'_> {
        Answered {
            client: "[::1]:1",
            method: "GET",
            path,
            query: None,
            version: "1.1",
            outcome: Outcome::Status(200),
            bytes: 0,
            elapsed: Duration::ZERO,
            placed: None,
        }
    }

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A sink that tells when it is written to and then waits to be let go.
    struct Gate {
        entered: mpsc::Sender<()>,
        leave: mpsc::Receiver<()>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.entered.send(());
            let _ = self.leave.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_in_order_before_finish_returns() {
        let memory = Memory::default();
        let (log, writer) = AccessLog::start(memory.clone(), LogFormat::Text).unwrap();
        for number in 0..1000 {
            log.record(&answered(format!("/{number}").as_bytes()));
        }
        writer.finish();
        let text = String::from_utf8(memory.0.lock().clone()).unwrap();
        let expected: Vec<String> =
            (0..1000).map(|number| format!("[::1]:1 \"GET /{number} HTTP/1.1\" 200 0B 0.0ms")).collect();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_sink_that_blocks_does_not_block_the_front_and_dropped_lines_are_counted() {
        let (entered, when_entered) = mpsc::channel();
        let (leave, left) = mpsc::channel();
        let (log, writer) = AccessLog::start(Gate { entered, leave: left }, LogFormat::Text).unwrap();
        log.record(&answered(b"/first"));
        when_entered.recv().unwrap();
        let long = vec![b'a'; CAPACITY];
        log.record(&answered(&long));
        log.record(&answered(b"/dropped"));
        assert_eq!(log.shared.pending.lock().dropped, 1);
        drop(leave);
        writer.finish();
    }

    #[test]
    fn lines_after_the_end_are_dropped() {
        let memory = Memory::default();
        let (log, writer) = AccessLog::start(memory.clone(), LogFormat::Text).unwrap();
        writer.finish();
        log.record(&answered(b"/late"));
        assert!(memory.0.lock().is_empty());
    }
}
