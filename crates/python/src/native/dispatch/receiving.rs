//! What `receive` is for the application inside a middleware: what the middleware's request has, until the answer has
//! been sent; then the client counts as gone (`receive_or_disconnect`).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use pyo3::{
    exceptions::PyStopIteration,
    intern,
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::around::Around;
use crate::{
    awaitable::thrown,
    coroutine::{Advance, advance, await_iterator},
};

/// So many turns of the event loop Starlette takes to leave the task group in which it receives a message that is there.
const TURNS: u8 = 4;

/// Likewise, of a message for which it has waited: the other Task of the group has begun meanwhile.
const TURNS_AFTER_WAITING: u8 = 2;

/// `receive`.
#[pyclass(frozen, module = "andon._andon")]
pub(super) struct Receive(pub(super) Arc<Around>);

#[pymethods]
impl Receive {
    fn __call__(&self) -> Receiving {
        Receiving {
            around: Arc::clone(&self.0),
            awaited: Mutex::default(),
            has_waited: AtomicBool::new(false),
            held: Mutex::default(),
        }
    }
}

/// What that returns.
#[pyclass(frozen, module = "andon._andon")]
struct Receiving {
    around: Arc<Around>,
    awaited: Mutex<Option<Awaited>>,
    has_waited: AtomicBool,
    /// A message that is told after so many turns of the event loop.
    held: Mutex<Option<(Py<PyAny>, u8)>>,
}

/// What the middleware's request has returned for it.
struct Awaited {
    iterator: Py<PyAny>,
    /// What that waits for.
    future: Py<PyAny>,
}

impl Receiving {
    /// What is to be stepped; `None`: it is over.
    fn iterator(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let awaited = self.awaited.lock().take();
        if let Some(Awaited { iterator, future }) = awaited {
            self.around.waited_for(&future);
            return Ok(Some(iterator));
        }
        let receiving = self.around.wrapped_receive(py).map(|receive| receive.bind(py).call0()).transpose()?;
        receiving.map(|receiving| await_iterator(receiving).map(Bound::unbind)).transpose()
    }

    fn step(&self, py: Python<'_>, error: Option<PyErr>) -> PyResult<Py<PyAny>> {
        if self.around.channel.is_answered() && error.is_none() {
            return Err(disconnected(py));
        }
        let held = self.held.lock().take();
        if let Some((message, turns)) = held {
            return match error {
                Some(error) => Err(error),
                None if turns > 1 => Ok(self.hold(py, message, turns - 1)),
                None => Err(PyStopIteration::new_err((message,))),
            };
        }
        let Some(iterator) = self.iterator(py)? else {
            return Err(disconnected(py));
        };
        let outcome = match error {
            None => advance(iterator.bind(py)),
            Some(error) => throw(iterator.bind(py), error),
        };
        let answered = self.around.channel.is_answered();
        match outcome {
            Ok(Advance::Yielded(future)) => Ok(self.wait_for(future, iterator)),
            // What was cancelled because the answer has been sent is not told.
            Ok(Advance::Returned(_)) | Err(_) if answered => Err(disconnected(py)),
            // Only where others may take turns meanwhile, such as the other half of a streamed answer, can that be seen;
            // and only where there are scopes can one be cancelled, which takes effect here.
            Ok(Advance::Returned(message)) if self.around.parts.anyio.scopes_are_in_use(py) => {
                let waited = self.has_waited.load(Ordering::Relaxed);
                Ok(self.hold(py, message.unbind(), if waited { TURNS_AFTER_WAITING } else { TURNS }))
            }
            Ok(Advance::Returned(message)) => Err(PyStopIteration::new_err((message.unbind(),))),
            Err(error) => Err(self.around.parts.grouped(py, error)),
        }
    }

    /// Tells a message after so many turns of the event loop.
    fn hold(&self, py: Python<'_>, message: Py<PyAny>, turns: u8) -> Py<PyAny> {
        *self.held.lock() = Some((message, turns));
        py.None()
    }

    /// What `iterator` has yielded, to be yielded in turn.
    fn wait_for(&self, future: Bound<'_, PyAny>, iterator: Py<PyAny>) -> Py<PyAny> {
        // `None` is yielded for one turn of the event loop: there is nothing to be cancelled.
        if !future.is_none() {
            self.around.waits_for(future.clone().unbind());
        }
        self.has_waited.store(true, Ordering::Relaxed);
        *self.awaited.lock() = Some(Awaited { iterator, future: future.clone().unbind() });
        future.unbind()
    }
}

#[pymethods]
impl Receiving {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.step(py, None)
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.step(py, None)
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, py: Python<'_>, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        self.step(py, Some(thrown(arguments)?))
    }

    fn close(&self) {
        let abandoned = self.awaited.lock().take();
        drop(abandoned);
    }
}

fn throw<'py>(awaited: &Bound<'py, PyAny>, error: PyErr) -> PyResult<Advance<'py>> {
    let py = awaited.py();
    match awaited.call_method1(intern!(py, "throw"), (error.into_value(py),)) {
        Ok(value) => Ok(Advance::Yielded(value)),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            Ok(Advance::Returned(error.value(py).getattr(intern!(py, "value"))?))
        }
        Err(error) => Err(error),
    }
}

fn disconnected(py: Python<'_>) -> PyErr {
    let message = PyDict::new(py);
    match message.set_item(intern!(py, "type"), intern!(py, "http.disconnect")) {
        Ok(()) => PyStopIteration::new_err((message.unbind(),)),
        Err(error) => error,
    }
}
