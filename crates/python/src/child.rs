//! Tasks that a request starts, such as those of middleware: their steps count for the request, as long as it lasts.
//!
//! Starlette's `BaseHTTPMiddleware` runs the application behind it in a Task of its own. Without this module nobody would
//! know for whom that Task holds the event loop. The loop's task factory wraps the coroutine of each Task that is made in
//! a step of a request. Tasks made elsewhere, those of other awaitables than coroutines, and those of an application
//! that sets a factory of its own are as they are.

use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::{
    exceptions::{PyAttributeError, PyStopIteration},
    intern,
    prelude::*,
    pyclass::{PyTraverseError, PyVisit},
    types::{PyDict, PyTuple},
};

use crate::{
    coroutine::{Advance, advance, is_coroutine},
    exchange::Exchange,
    serving::Serving,
};

/// Makes the Tasks of one event loop.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct TaskFactory {
    serving: Arc<Serving>,
    task_type: Py<PyAny>,
}

impl TaskFactory {
    pub(crate) fn new(py: Python<'_>, serving: Arc<Serving>) -> PyResult<Self> {
        Ok(Self { serving, task_type: py.import("asyncio")?.getattr("Task")?.unbind() })
    }
}

#[pymethods]
impl TaskFactory {
    #[pyo3(signature = (event_loop, coroutine, **options))]
    fn __call__<'py>(
        &self,
        event_loop: Bound<'py, PyAny>,
        coroutine: Bound<'py, PyAny>,
        options: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = event_loop.py();
        let options = options.unwrap_or_else(|| PyDict::new(py));
        options.set_item(intern!(py, "loop"), event_loop)?;
        let current = if is_coroutine(&coroutine) { self.serving.current(py) } else { None };
        let coroutine = match current {
            Some(exchange) => {
                let serving = Arc::clone(&self.serving);
                let child = Child { attribution: Attribution::new(serving, exchange), coroutine: coroutine.unbind() };
                Bound::new(py, child)?.into_any()
            }
            None => coroutine,
        };
        self.task_type.bind(py).call((coroutine,), Some(&options))
    }
}

/// For which request the steps of a Task count.
pub(crate) struct Attribution {
    serving: Arc<Serving>,
    /// `None` once that has ended.
    exchange: Mutex<Option<Py<Exchange>>>,
}

impl Attribution {
    pub(crate) fn new(serving: Arc<Serving>, exchange: Py<Exchange>) -> Self {
        Self { serving, exchange: Mutex::new(Some(exchange)) }
    }

    /// The request for which a step that begins now counts.
    fn exchange(&self, py: Python<'_>) -> Option<Py<Exchange>> {
        // A Task that is started at once runs within a step of its request.
        if self.serving.step().is_some() {
            return None;
        }
        let exchange = self.exchange.lock().as_ref().map(|exchange| exchange.clone_ref(py))?;
        if !exchange.get().is_over() {
            return Some(exchange);
        }
        let over = self.exchange.lock().take();
        drop(over);
        None
    }

    /// Makes a step.
    pub(crate) fn step<T>(&self, py: Python<'_>, resume: impl FnOnce() -> T) -> T {
        let Some(exchange) = self.exchange(py) else {
            return resume();
        };
        let (slot, generation) = exchange.get().name();
        let begun = self.serving.begin_step(slot, generation);
        let outcome = resume();
        exchange.get().add_step(self.serving.end_step(py, begun));
        outcome
    }
}

/// The coroutine of a Task that was made in a step of a request.
#[pyclass(frozen, module = "andon._andon")]
struct Child {
    attribution: Attribution,
    coroutine: Py<PyAny>,
}

impl Child {
    fn step<'py, T>(&self, py: Python<'py>, resume: impl FnOnce(&Bound<'py, PyAny>) -> T) -> T {
        self.attribution.step(py, || resume(self.coroutine.bind(py)))
    }
}

#[pymethods]
impl Child {
    /// So that a Task which nobody will ever wake, and its coroutine, can be collected. The exchange is not visited: it
    /// knows nothing of this Task.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.coroutine)
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.step(py, advance)? {
            Advance::Yielded(value) => Ok(value),
            Advance::Returned(value) => Err(PyStopIteration::new_err((value.unbind(),))),
        }
    }

    fn send<'py>(&self, py: Python<'py>, _value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.__next__(py)
    }

    #[pyo3(signature = (*arguments))]
    fn throw<'py>(&self, py: Python<'py>, arguments: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        self.step(py, |coroutine| coroutine.call_method1(intern!(py, "throw"), arguments))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.coroutine.bind(py).call_method0(intern!(py, "close")).map(drop)
    }

    /// `cr_frame`, `cr_await`, `__name__` and the like, as tools that print Tasks want them.
    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        if name.starts_with("cr_") || name.starts_with("__") {
            return self.coroutine.bind(py).getattr(name);
        }
        Err(PyAttributeError::new_err(name.to_owned()))
    }
}
