//! The application inside a middleware, in a Task of its own.
//!
//! The Task is started at once, in the step that makes it. Before CPython 3.12 its first step is taken from the loop,
//! which was asked to call it soon, and is run here while the Task around is not the current one.

use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::{
    exceptions::{PyException, PyKeyboardInterrupt, PyRuntimeError, PyStopIteration, PySystemExit},
    intern,
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::{around::Around, channel::Outlet, parts::Parts};
use crate::{
    child::Attribution,
    coroutine::{Advance, advance},
    starter::Capture,
};

/// The Task's name is the one that anyio gives it.
const NAME: &str = "starlette.middleware.base.BaseHTTPMiddleware.__call__.<locals>.call_next.<locals>.coro";

/// The coroutine of that Task: it ends without an exception, which is kept for `call_next`.
#[pyclass(frozen, module = "andon._andon")]
pub(super) struct Inner {
    around: Arc<Around>,
    outlet: Outlet,
    /// What the application was called for; `None` once it has ended.
    awaited: Mutex<Option<Py<PyAny>>>,
    attribution: Option<Attribution>,
}

impl Inner {
    /// Starts what `awaited` iterates.
    pub(super) fn start(
        py: Python<'_>,
        (around, outlet): (&Arc<Around>, Outlet),
        awaited: Bound<'_, PyAny>,
        attribution: Option<Attribution>,
    ) -> PyResult<()> {
        let awaited = Mutex::new(Some(awaited.unbind()));
        let inner = Self { around: Arc::clone(around), outlet, awaited, attribution };
        let inner = Bound::new(py, inner)?;
        let task = start_task(&around.parts, inner.into_any())?;
        around.keep(task.unbind());
        Ok(())
    }

    fn step<'py>(
        &self,
        py: Python<'py>,
        resume: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<Advance<'py>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let awaited = self.awaited.lock().as_ref().map(|awaited| awaited.clone_ref(py));
        let awaited = awaited.ok_or_else(|| PyRuntimeError::new_err("cannot reuse already awaited coroutine"))?;
        let awaited = awaited.bind(py);
        let outcome = match &self.attribution {
            Some(attribution) => attribution.step(py, || resume(awaited)),
            None => resume(awaited),
        };
        let error = match outcome {
            Ok(Advance::Yielded(value)) => return Ok(Some(value.unbind())),
            Ok(Advance::Returned(_)) => None,
            Err(error) => Some(error),
        };
        let ended = self.awaited.lock().take();
        drop(ended);
        let Some(error) = error else {
            return self.around.inner_ended(py, &self.outlet, None).map(|()| None);
        };
        if error.is_instance_of::<PyException>(py) {
            return self.around.inner_ended(py, &self.outlet, Some(error)).map(|()| None);
        }
        if !self.around.parts.is_cancelled(py, &error) {
            self.around.inner_broke(error.clone_ref(py));
        }
        self.around.inner_ended(py, &self.outlet, None)?;
        // It ends the event loop, too.
        let ends_all = error.is_instance_of::<PySystemExit>(py) || error.is_instance_of::<PyKeyboardInterrupt>(py);
        if ends_all || self.around.parts.is_cancelled(py, &error) { Err(error) } else { Ok(None) }
    }
}

#[pymethods]
impl Inner {
    /// It closes a dependency, which is not to be cancelled.
    #[getter]
    fn exiting(&self) -> bool {
        self.outlet.is_exiting()
    }

    /// Says that its Task is being ended.
    fn tell_ending(&self) {
        self.outlet.set_ending();
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.step(py, advance)
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.step(py, advance)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, py: Python<'_>, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let throw = |awaited: &Bound<'_, PyAny>| match awaited.call_method1(intern!(py, "throw"), arguments) {
            Ok(value) => Ok(Advance::Yielded(value.unbind().into_bound(py))),
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
                Ok(Advance::Returned(py.None().into_bound(py)))
            }
            Err(error) => Err(error),
        };
        self.step(py, throw)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    fn close(&self) {
        let abandoned = self.awaited.lock().take();
        drop(abandoned);
    }
}

/// Makes a Task in a copy of the current context, and runs its first step.
fn start_task<'py>(parts: &Parts, coroutine: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = coroutine.py();
    let event_loop = parts.get_running_loop.bind(py).call0()?;
    let options = PyDict::new(py);
    options.set_item(intern!(py, "loop"), &event_loop)?;
    options.set_item(intern!(py, "name"), intern!(py, NAME))?;
    let task_type = parts.task_type.bind(py);
    if parts.eager {
        options.set_item(intern!(py, "eager_start"), true)?;
        return task_type.call((coroutine,), Some(&options));
    }
    let (task, step) = Capture::during(&event_loop, || task_type.call((coroutine,), Some(&options)))?;
    let current = parts.current_task.bind(py).call1((&event_loop,))?;
    parts.leave_task.bind(py).call1((&event_loop, &current))?;
    let outcome = step.map_or(Ok(()), |step| step.run(py));
    parts.enter_task.bind(py).call1((event_loop, current))?;
    outcome.map(|()| task)
}
