//! The end of an exchange: what the application left unsaid is said, the slot is freed, and the front is told what was
//! used.

use andon_wire::{Flags, FromWorker, frame::put_frame};
use pyo3::{prelude::*, pybacked::PyBackedBytes};

use super::{Exchange, Protocol, Run};
use crate::{awaitable::Until, clock, fork, http::internal_server_error, threads::is_pool_thread};

impl Exchange {
    /// The application's callable has ended: says what it left unsaid, and frees the slot.
    pub(super) fn finish(&self, py: Python<'_>, error: Option<&PyErr>) -> PyResult<()> {
        fork::end_here(py, error);
        let complete = self.complete_answer(py, error)?;
        let used = self.used.usage().to_bytes();
        self.serving.put(py, |out| {
            let flags = Flags::NONE.with(Flags::FAILED, !complete);
            put_frame(out.frames(), FromWorker::Finished as u8, flags, self.slot, self.generation, &used);
        })?;
        // Dropped without the locks: destructors may run any code.
        let run = std::mem::replace(&mut *self.run.lock(), Run::Over);
        let task = self.task.lock().take();
        let scope = self.scope.lock().take();
        self.serving.finished(self.slot, self.generation);
        drop((run, task, scope));
        // Futures belong to the event loop; a thread leaves them to it.
        if is_pool_thread() { Ok(()) } else { self.wake(py, Until::Message) }
    }

    /// Answers 500 where nothing was sent, and logs what went wrong. True if the client has a whole answer.
    fn complete_answer(&self, py: Python<'_>, error: Option<&PyErr>) -> PyResult<bool> {
        let (unanswered, complete) = match &self.protocol {
            Protocol::Http(http) => {
                let http = http.lock();
                (http.is_unanswered(), http.is_complete() || http.is_disconnected())
            }
            Protocol::WebSocket(websocket) => {
                let websocket = websocket.lock();
                (websocket.is_unanswered(), websocket.is_over())
            }
        };
        match error {
            // The worker ends and has no more time for it; the front says so where a client waits.
            Some(error) if self.serving.is_cancelled_error(py, error) => {}
            Some(error) => self.serving.log_exception(py, error)?,
            None if complete => {}
            None if unanswered => self.serving.log(py, "ASGI callable returned without starting response.")?,
            None if matches!(self.protocol, Protocol::Http(_)) => {
                self.serving.log(py, "ASGI callable returned without completing response.")?;
            }
            // A WebSocket whose application returns is closed for it, with 1000.
            None => return Ok(true),
        }
        if unanswered && !complete {
            let (head, body) = internal_server_error(py)?;
            self.fail(py, &head, body)?;
        }
        Ok((complete && error.is_none()) || (unanswered && !complete))
    }

    fn fail(&self, py: Python<'_>, head: &[u8], body: PyBackedBytes) -> PyResult<()> {
        self.explain(py)?;
        self.serving.put(py, |out| match &self.protocol {
            Protocol::Http(http) => http.lock().fail(out, head, body),
            Protocol::WebSocket(websocket) => websocket.lock().fail(out, head, body),
        })
    }

    /// Tells what was used so far, if it was asked for and the answer is about to begin.
    pub(super) fn explain(&self, py: Python<'_>) -> PyResult<()> {
        if !self.flags.contains(Flags::EXPLAIN) || !self.is_unanswered() || !self.used.tell_once() {
            return Ok(());
        }
        let used = self.used.clone();
        if let Some(since) = *self.on_thread_since.lock() {
            let wall = clock::monotonic().saturating_sub(since);
            used.add_thread(wall, wall);
        } else if let Some(since) = self.serving.step_since() {
            used.add_step(self.serving.meter().so_far(since));
        }
        let used = used.usage().to_bytes();
        self.serving.put(py, |out| {
            put_frame(out.frames(), FromWorker::Usage as u8, Flags::NONE, self.slot, self.generation, &used);
        })
    }

    fn is_unanswered(&self) -> bool {
        match &self.protocol {
            Protocol::Http(http) => http.lock().is_unanswered(),
            Protocol::WebSocket(websocket) => websocket.lock().is_unanswered(),
        }
    }
}
