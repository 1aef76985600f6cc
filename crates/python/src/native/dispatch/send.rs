//! What `send` is for the application inside a middleware (`send_no_error`), and what it returns.

use std::sync::Arc;

use pyo3::{
    exceptions::PyStopIteration,
    intern,
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::channel::Channel;
use crate::{
    awaitable::thrown,
    coroutine::{Advance, advance, await_iterator},
};

/// `send`.
#[pyclass(frozen, module = "andon._andon")]
pub(super) struct Send(pub(super) Arc<Channel>);

#[pymethods]
impl Send {
    fn __call__<'py>(slf: &Bound<'py, Self>, message: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let py = message.py();
        let parts = slf.get().0.parts();
        if parts.anyio.scopes_are_in_use(py) {
            return parts.send_in_turn.bind(py).call1((slf.getattr(intern!(py, "put"))?, message));
        }
        slf.get().put(message).map(|sending| sending.into_bound(py))
    }

    /// Sends without letting the event loop come round before.
    fn put(&self, message: &Bound<'_, PyDict>) -> PyResult<Py<PyAny>> {
        self.0.send(message)
    }
}

/// A message that was sent: whoever awaits this goes on once it is taken, and takes it back if cancelled before.
#[pyclass(frozen, module = "andon._andon")]
pub(super) struct Sending {
    channel: Arc<Channel>,
    future: Py<PyAny>,
    iterator: Py<PyAny>,
}

impl Sending {
    pub(super) fn of(channel: &Arc<Channel>, future: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let iterator = await_iterator(future.clone())?.unbind();
        let sending = Self { channel: Arc::clone(channel), future: future.clone().unbind(), iterator };
        Ok(Py::new(future.py(), sending)?.into_any())
    }
}

#[pymethods]
impl Sending {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match advance(self.iterator.bind(py))? {
            Advance::Yielded(future) => Ok(Some(future)),
            Advance::Returned(_) => Ok(None),
        }
    }

    fn send<'py>(&self, py: Python<'py>, _value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.__next__(py)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        self.channel.withdraw(&self.future);
        Err(thrown(arguments)?)
    }

    fn close(&self) {
        self.channel.withdraw(&self.future);
    }
}
