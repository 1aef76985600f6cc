//! An ASGI application that raises: what stands in place of the application under its outermost layer, so that this layer
//! sees the exception of a native route as its own.
//!
//! The frames that the exception passes hold these objects, and the exception holds the frames. So whoever has raised it
//! gives it away: Python's collector does not see what objects of Rust hold, and would never free the two.

use parking_lot::Mutex;
use pyo3::{exceptions::PyRuntimeError, intern, prelude::*, types::PyDict};

use crate::{awaitable::Done, coroutine::await_iterator};

/// Raises an exception when it is called as an application and awaited, which can be done once.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Raiser {
    error: Mutex<Option<Py<PyAny>>>,
    /// The answer has begun, which the layers above must be told.
    begun: bool,
}

impl Raiser {
    pub(crate) fn new(py: Python<'_>, error: &PyErr, begun: bool) -> Self {
        Self { error: Mutex::new(Some(error.value(py).clone().into_any().unbind())), begun }
    }
}

#[pymethods]
impl Raiser {
    fn __call__(&self, py: Python<'_>, _scope: Py<PyAny>, _receive: Py<PyAny>, send: Py<PyAny>) -> PyResult<Raising> {
        let message = PyDict::new(py);
        message.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
        let telling = if self.begun { Some(await_iterator(send.bind(py).call1((message,))?)?.unbind()) } else { None };
        Ok(Raising { error: Mutex::new(self.error.lock().take()), telling: Mutex::new(telling) })
    }
}

/// What [`Raiser`] returns.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Raising {
    error: Mutex<Option<Py<PyAny>>>,
    telling: Mutex<Option<Py<PyAny>>>,
}

#[pymethods]
impl Raising {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let telling = self.telling.lock().take();
        if let Some(telling) = telling
            && let crate::coroutine::Step::Yielded(_) = crate::coroutine::step(telling.bind(py))?
        {
            return Err(PyRuntimeError::new_err("a message that goes nowhere has waited"));
        }
        let error = self.error.lock().take();
        Err(error.map_or_else(
            || PyRuntimeError::new_err("an exception was to be raised a second time"),
            |error| PyErr::from_value(error.into_bound(py)),
        ))
    }
}

/// A `send` that sends nothing.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Sink;

#[pymethods]
impl Sink {
    fn __call__(&self, _message: Py<PyAny>) -> Done {
        Done
    }
}
