//! Starting a Task so that its first step runs at once, in the same turn of the loop.
//!
//! CPython 3.12 has `eager_start`. Before, a Task asks its loop to `call_soon` its first step; for the moment of the
//! Task's making, the loop's `call_soon` is one that keeps the step, which then is run here. That saves a turn of the
//! loop and a Handle per request, and keeps the rule that a request is claimed when it starts.

use parking_lot::Mutex;
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::native::{copy_context, within_context};

/// Keeps the one call that was to be made soon.
#[pyclass(frozen, module = "andon._andon")]
#[derive(Default)]
pub(crate) struct Capture(Mutex<Option<Captured>>);

/// The call that was to be made soon.
pub(crate) struct Captured {
    callback: Py<PyAny>,
    arguments: Py<PyTuple>,
    context: Option<Py<PyAny>>,
}

#[pymethods]
impl Capture {
    #[pyo3(signature = (callback, *arguments, context = None))]
    fn __call__(&self, callback: Py<PyAny>, arguments: Py<PyTuple>, context: Option<Py<PyAny>>) {
        *self.0.lock() = Some(Captured { callback, arguments, context });
    }
}

impl Captured {
    /// Makes the call.
    pub(crate) fn run(self, py: Python<'_>) -> PyResult<()> {
        let call = || self.callback.bind(py).call1(self.arguments.bind(py)).map(drop);
        match &self.context {
            Some(context) => within_context(context.bind(py), call),
            None => call(),
        }
    }
}

impl Capture {
    /// Makes a Task of this loop, and gives back its first step.
    pub(crate) fn during<'py>(
        event_loop: &Bound<'py, PyAny>,
        make: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Option<Captured>)> {
        let capture = Bound::new(event_loop.py(), Self::default())?;
        capture.get().around(event_loop, capture.as_any(), make)
    }

    /// Likewise. `this`: itself.
    fn around<'py>(
        &self,
        event_loop: &Bound<'py, PyAny>,
        this: &Bound<'py, PyAny>,
        make: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Option<Captured>)> {
        let call_soon = intern!(event_loop.py(), "call_soon");
        event_loop.setattr(call_soon, this)?;
        let task = make();
        event_loop.delattr(call_soon)?;
        Ok((task?, self.0.lock().take()))
    }
}

/// What this version of CPython can do.
enum Mode {
    /// 3.12: `Task(..., context=..., eager_start=True)`.
    Eager,
    /// 3.11: `Task(..., context=...)`.
    Context,
    /// 3.10: a Task takes the context in which it is made.
    Current,
}

/// Starts Tasks on one event loop.
pub(crate) struct Starter {
    mode: Mode,
    task_type: Py<PyAny>,
    event_loop: Py<PyAny>,
    /// The context that each request's is a copy of.
    context: Py<PyAny>,
    capture: Py<Capture>,
}

impl Starter {
    /// `context` is the one of the server's main task.
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>, context: Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        let mode = match py.version_info() {
            version if version >= (3, 12) => Mode::Eager,
            version if version >= (3, 11) => Mode::Context,
            _ => Mode::Current,
        };
        Ok(Self {
            mode,
            task_type: py.import("asyncio")?.getattr("Task")?.unbind(),
            event_loop: event_loop.clone().unbind(),
            context: context.unbind(),
            capture: Py::new(py, Capture::default())?,
        })
    }

    /// The context that each request's is a copy of.
    pub(crate) fn context<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, PyAny> {
        self.context.bind(py)
    }

    /// Makes a Task of `coroutine` in a context of its own, and runs its first step.
    pub(crate) fn start<'py>(&self, coroutine: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = coroutine.py();
        let context = copy_context(self.context.bind(py))?;
        let options = PyDict::new(py);
        options.set_item(intern!(py, "loop"), self.event_loop.bind(py))?;
        let task_type = self.task_type.bind(py);
        match self.mode {
            Mode::Eager => {
                options.set_item(intern!(py, "context"), context)?;
                options.set_item(intern!(py, "eager_start"), true)?;
                task_type.call((coroutine,), Some(&options))
            }
            Mode::Context => {
                options.set_item(intern!(py, "context"), context)?;
                self.capture_first_step(py, || task_type.call((coroutine,), Some(&options)))
            }
            Mode::Current => self.capture_first_step(py, || {
                context.call_method(intern!(py, "run"), (task_type, coroutine), Some(&options))
            }),
        }
    }

    fn capture_first_step<'py>(
        &self,
        py: Python<'py>,
        make: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let capture = self.capture.bind(py);
        let (task, step) = capture.get().around(self.event_loop.bind(py), capture.as_any(), make)?;
        step.map_or(Ok(()), |step| step.run(py))?;
        Ok(task)
    }
}
