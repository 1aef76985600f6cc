//! What `receive` and `send` return: objects that an application awaits, or makes a Task of.
//!
//! All of them have the methods of `collections.abc.Coroutine`, since `asyncio.create_task(receive())` works under other
//! servers, whose `receive` is a coroutine function.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use pyo3::{
    exceptions::PyStopIteration,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::{
    coroutine::{Step, await_iterator, step},
    exchange::Exchange,
};

/// The exception that `throw(type[, value[, traceback]])` was given.
pub(crate) fn thrown(arguments: &Bound<'_, PyTuple>) -> PyResult<PyErr> {
    let kind = arguments.get_item(0)?;
    let value = match arguments.get_item(1) {
        Ok(value) if !value.is_none() => value,
        _ => kind,
    };
    let value = if value.is_instance_of::<pyo3::types::PyType>() { value.call0()? } else { value };
    Ok(PyErr::from_value(value))
}

/// Done already, with `None`. Stateless, so that one object serves every `send`.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Done;

#[pymethods]
impl Done {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> Option<Py<PyAny>> {
        None
    }

    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, arguments: &Bound<'_, PyTuple>) -> PyResult<Option<Py<PyAny>>> {
        Err(thrown(arguments)?)
    }

    fn close(&self) {}
}

/// Done in the next turn of the loop, with `None`.
#[pyclass(frozen, module = "andon._andon")]
#[derive(Default)]
pub(crate) struct Pause(AtomicBool);

#[pymethods]
impl Pause {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Yields `None` once, as `asyncio.sleep(0)` does.
    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if self.0.swap(true, Ordering::Relaxed) {
            return Err(PyStopIteration::new_err(()));
        }
        Ok(py.None())
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.__next__(py)
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, arguments: &Bound<'_, PyTuple>) -> PyResult<Option<Py<PyAny>>> {
        Err(thrown(arguments)?)
    }

    fn close(&self) {}
}

/// Done already, with a message.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Message(Mutex<Option<Py<PyDict>>>);

impl Message {
    pub(crate) fn new(message: Bound<'_, PyDict>) -> Self {
        Self(Mutex::new(Some(message.unbind())))
    }
}

#[pymethods]
impl Message {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> PyResult<Option<Py<PyAny>>> {
        let message = self.0.lock().take();
        message.map_or(Ok(None), |message| Err(PyStopIteration::new_err(message)))
    }

    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>> {
        self.__next__()?;
        Err(PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, arguments: &Bound<'_, PyTuple>) -> PyResult<Option<Py<PyAny>>> {
        Err(thrown(arguments)?)
    }

    fn close(&self) {}
}

/// What a [`Wait`] waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// A message for the application.
    Message,
    /// Room for what was sent.
    Sent,
}

/// Not done yet: waits on futures of the loop until its exchange has what is waited for.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Wait {
    exchange: Py<Exchange>,
    until: Until,
    future: Mutex<Option<Py<PyAny>>>,
}

impl Wait {
    pub(crate) fn new(exchange: Py<Exchange>, until: Until) -> Self {
        Self { exchange, until, future: Mutex::new(None) }
    }
}

#[pymethods]
impl Wait {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let exchange = self.exchange.bind(py);
        loop {
            let waited = self.future.lock().take();
            if let Some(future) = waited
                && let Step::Yielded(value) = step(future.bind(py))?
            {
                *self.future.lock() = Some(future);
                return Ok(Some(value.unbind()));
            }
            match self.until {
                Until::Message => {
                    if let Some(message) = Exchange::next_message(exchange)? {
                        return Err(PyStopIteration::new_err(message.unbind()));
                    }
                }
                Until::Sent if exchange.get().is_writable() => return Ok(None),
                Until::Sent => {}
            }
            let future = exchange.get().new_waiter(py, self.until)?;
            *self.future.lock() = Some(await_iterator(future)?.unbind());
        }
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.__next__(py)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, arguments: &Bound<'_, PyTuple>) -> PyResult<Option<Py<PyAny>>> {
        let abandoned = self.future.lock().take();
        drop(abandoned);
        Err(thrown(arguments)?)
    }

    fn close(&self) {
        let abandoned = self.future.lock().take();
        drop(abandoned);
    }
}
