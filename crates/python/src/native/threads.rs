//! Calls that are made on a thread: here, if this is one, else on one of the pool's while the Task waits. Neighbouring ones
//! are made in one visit ([`super::visit`]).

use parking_lot::Mutex;
use pyo3::{
    exceptions::{PyRuntimeError, PyStopIteration},
    prelude::*,
};

use super::{
    execution::{Execution, Route},
    interpreter::{copy_current_context, within_context},
    stepping::Place,
    visit::Visit,
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

impl Thunk {
    pub(crate) fn of(job: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static) -> Self {
        Self(Mutex::new(Some(Box::new(job))))
    }
}

/// How a call comes to a thread.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Way {
    /// Not to wait for a free thread, for others may wait for what it releases.
    pub(crate) urgent: bool,
    /// There is another call right after it, for which the code stays on the thread.
    pub(crate) followed: bool,
}

impl Execution {
    /// Makes a call on a thread, in a copy of the current context.
    pub(crate) async fn on_thread(
        &mut self,
        route: Route<'_>,
        way: Way,
        job: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Py<PyAny>> {
        self.prepare_for_thread(route, way).await?;
        if self.baton.place() == Place::Loop {
            let result = Python::attach(|py| {
                self.face.submit(route, Bound::new(py, Thunk::of(job))?.into_any(), way.urgent).map(Bound::unbind)
            })?;
            return self.baton.wait_for(result, None).await;
        }
        let outcome = Python::attach(|py| {
            within_context(&copy_current_context(py)?, || job(py)).map_err(|error| presentable(py, error))
        });
        self.baton.tell_failed(outcome.is_err());
        outcome
    }

    /// Brings the code to a thread if it is to stay there, or away from where it is not to stay.
    async fn prepare_for_thread(&self, route: Route<'_>, way: Way) -> PyResult<()> {
        // What closes a dependency is called in any case.
        let ending = !way.urgent && self.face.is_ending();
        if self.baton.place() == Place::Visit && !way.urgent && (ending || self.baton.is_called_back()) {
            self.baton.to_loop().await;
            if let Some(thrown) = self.baton.take_thrown() {
                return Err(thrown);
            }
        }
        if self.baton.place() != Place::Loop {
            return Ok(());
        }
        let framework = &route.application.framework;
        if ending {
            // The call before it is over, and with it what keeps cancellations off.
            Python::attach(|py| framework.shield_exit.call1(py, (false,)))?;
        }
        if !way.followed || Python::attach(|py| route.application.anyio.scopes_are_in_use(py)) {
            return Ok(());
        }
        let visit = Visit::default();
        let call = Python::attach(|py| self.face.submit(route, visit.thunk(py)?, way.urgent).map(Bound::unbind))?;
        self.baton.visit(visit, call).await
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
