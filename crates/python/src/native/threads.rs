//! Calls that are made on a thread: here, if this is one, else on one of the pool's while the Task waits.

use parking_lot::Mutex;
use pyo3::{
    exceptions::{PyRuntimeError, PyStopIteration},
    prelude::*,
};

use super::{
    execution::{Execution, Route},
    interpreter::{copy_current_context, within_context},
    stepping::Place,
};

type Job = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// A call that is made once, as a callable of Python.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Thunk(Mutex<Option<Job>>);

#[pymethods]
impl Thunk {
    fn __call__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let job = self.0.lock().take();
        job.ok_or_else(|| PyRuntimeError::new_err("it was called before"))?(py)
    }
}

impl Execution {
    /// Makes a call on a thread, in a copy of the current context. `urgent`: not to wait for a free thread, for others may
    /// wait for what it releases.
    pub(crate) async fn on_thread(
        &mut self,
        route: Route<'_>,
        urgent: bool,
        job: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Py<PyAny>> {
        if self.baton.place() == Place::Thread {
            let outcome = Python::attach(|py| {
                within_context(&copy_current_context(py)?, || job(py)).map_err(|error| presentable(py, error))
            });
            self.baton.tell_failed(outcome.is_err());
            return outcome;
        }
        let result = Python::attach(|py| {
            let thunk = Bound::new(py, Thunk(Mutex::new(Some(Box::new(job)))))?;
            self.face.submit(route, thunk.into_any(), urgent).map(Bound::unbind)
        })?;
        self.baton.wait_for(result, None).await
    }
}

/// A coroutine cannot raise `StopIteration`, and neither can what a call on a thread has in its place; the words are
/// those of Python and anyio.
fn presentable(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py) {
        return error;
    }
    let raised = PyRuntimeError::new_err("coroutine raised StopIteration");
    raised.set_cause(py, Some(error));
    raised
}
