//! What the functions that `dispatch` is given return: code of Rust with a result, to be awaited.

use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::{exceptions::PyStopIteration, prelude::*, types::PyTuple};

use super::super::stepping::{Awaited, Baton, Drive};
use crate::awaitable::thrown;

/// Code whose result is what awaiting it gives; `None` is Python's.
#[pyclass(frozen, module = "andon._andon")]
pub(super) struct Calling {
    code: Awaited,
    result: Arc<Mutex<Option<Py<PyAny>>>>,
}

impl Calling {
    pub(super) fn of<F>(code: impl FnOnce(Arc<Baton>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = PyResult<Option<Py<PyAny>>>> + Send + 'static,
    {
        let result = Arc::new(Mutex::new(None));
        let place = Arc::clone(&result);
        let drive = Drive::of(|baton| async move {
            *place.lock() = code(baton).await?;
            Ok(())
        });
        Self { code: Awaited::new(drive), result }
    }

    fn step(&self, thrown: Option<PyErr>) -> PyResult<Py<PyAny>> {
        let yielded = self.code.step(thrown)?;
        yielded.ok_or_else(|| PyStopIteration::new_err((self.result.lock().take(),)))
    }
}

#[pymethods]
impl Calling {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> PyResult<Py<PyAny>> {
        self.step(None)
    }

    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.step(None)
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        self.step(Some(thrown(arguments)?))
    }

    fn close(&self) {
        self.code.close();
    }
}
