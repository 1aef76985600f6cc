//! A call that waits for a thread, and its result on the way back to the event loop.

use pyo3::{
    exceptions::{PyRuntimeError, PyStopIteration},
    intern,
    prelude::*,
    types::{PyList, PyTuple},
};

use super::seat::Endpoint;
use crate::exchange::Exchange;

/// A call that waits for a thread.
pub(crate) struct Call {
    /// The context in which it is made: a copy of the submitter's.
    pub(crate) context: Py<PyAny>,
    /// What is called, and its arguments after it.
    pub(crate) callee: Py<PyList>,
    /// Gets the result.
    pub(crate) future: Py<PyAny>,
    /// anyio's cancel scope, which the function may ask for through `anyio.from_thread`.
    pub(crate) scope: Py<PyAny>,
    /// Whose step submitted it.
    pub(crate) exchange: Option<Py<Exchange>>,
    /// The endpoint for which it is made.
    pub(crate) endpoint: Endpoint,
}

/// A call that has been made.
pub(crate) struct Done {
    pub(crate) future: Py<PyAny>,
    pub(crate) result: PyResult<Py<PyAny>>,
}

impl Call {
    /// Makes the call. `None`: nobody waits for it any more.
    pub(crate) fn run(self, py: Python<'_>, locals: &Bound<'_, PyAny>) -> PyResult<Option<Done>> {
        let future = self.future.bind(py);
        if future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            return Ok(None);
        }
        let scope = intern!(py, "current_cancel_scope");
        locals.setattr(scope, self.scope)?;
        let arguments: Bound<'_, PyTuple> = self.callee.bind(py).to_tuple();
        let result = self.context.bind(py).call_method1(intern!(py, "run"), arguments).map(Bound::unbind);
        // A thread that sits must not keep a request alive. It fails only if the call has done it.
        let _ = locals.delattr(scope);
        Ok(Some(Done { future: self.future, result }))
    }
}

impl Done {
    /// Gives the result to who waits for it. On the event loop's thread.
    pub(crate) fn deliver(self, py: Python<'_>) -> PyResult<()> {
        let future = self.future.bind(py);
        if future.call_method0(intern!(py, "done"))?.is_truthy()? {
            return Ok(());
        }
        match self.result {
            Ok(value) => future.call_method1(intern!(py, "set_result"), (value,))?,
            Err(error) => future.call_method1(intern!(py, "set_exception"), (presentable(py, error)?,))?,
        };
        Ok(())
    }
}

/// A future refuses `StopIteration`; the words are those of a coroutine, and anyio's.
fn presentable(py: Python<'_>, error: PyErr) -> PyResult<Py<PyAny>> {
    let stops = error.is_instance_of::<PyStopIteration>(py);
    let value = error.into_value(py);
    if !stops {
        return Ok(value.into_any());
    }
    let wrapped = PyRuntimeError::new_err("coroutine raised StopIteration").into_value(py);
    wrapped.bind(py).setattr(intern!(py, "__cause__"), value)?;
    Ok(wrapped.into_any())
}
