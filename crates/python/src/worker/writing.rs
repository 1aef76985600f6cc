//! What waits for the wire is written to it.

use std::os::fd::AsRawFd;

use pyo3::prelude::*;

use super::Worker;
use crate::output::Flush;

impl Worker {
    /// Writes what the socket takes now; the rest waits for [`flush`](Self::flush).
    pub(super) fn flush_early(&self) -> PyResult<()> {
        self.serving.write(|_, _| ())
    }

    pub(super) fn flush(&self, py: Python<'_>) -> PyResult<()> {
        let (before, after) = self.serving.write(|output, whole| {
            let after = if whole { Flush::Idle } else { Flush::WhenWritable };
            (std::mem::replace(&mut output.flush, after), after)
        })?;
        let python = self.serving.python();
        let descriptor = self.serving.wire().as_raw_fd();
        match (before, after) {
            (Flush::WhenWritable, Flush::WhenWritable) => {}
            (_, Flush::WhenWritable) => {
                python.add_writer.bind(py).call1((descriptor, &python.flush))?;
            }
            (Flush::WhenWritable, _) => {
                python.remove_writer.bind(py).call1((descriptor,))?;
            }
            _ => {}
        }
        Ok(())
    }
}
