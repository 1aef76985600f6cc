//! A call that waits for a thread, and what goes back to the event loop.

use pyo3::{
    exceptions::{PyRuntimeError, PyStopIteration},
    intern,
    prelude::*,
    types::{PyList, PyTuple},
};

use super::seat::Endpoint;
use crate::{exchange::Exchange, fork};

/// A call that waits for a thread.
pub(crate) struct Call {
    /// Whose step submitted it, or who runs in it.
    pub(crate) exchange: Option<Py<Exchange>>,
    /// The endpoint for which it is made.
    pub(crate) endpoint: Endpoint,
    pub(crate) work: Work,
}

/// What is done on the thread.
pub(crate) enum Work {
    Function(Function),
    /// The code of the exchange, from its beginning, in this context.
    Request(Py<PyAny>),
}

/// A function that is called for who waits on the event loop.
pub(crate) struct Function {
    /// The context in which it is called: a copy of the submitter's.
    pub(crate) context: Py<PyAny>,
    /// What is called, and its arguments after it.
    pub(crate) callee: Py<PyList>,
    /// Gets the result.
    pub(crate) future: Py<PyAny>,
    /// anyio's cancel scope, which the function may ask for through `anyio.from_thread`.
    pub(crate) scope: Py<PyAny>,
}

/// What goes back to the event loop.
pub(crate) enum Done {
    /// The result of a function.
    Function { future: Py<PyAny>, result: PyResult<Py<PyAny>> },
    /// The exchange, with which the event loop goes on.
    Request(Py<Exchange>),
}

impl Function {
    /// Makes the call. `None`: nobody waits for it any more.
    pub(crate) fn call(self, py: Python<'_>, locals: &Bound<'_, PyAny>) -> PyResult<Option<Done>> {
        let future = self.future.bind(py);
        if future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            return Ok(None);
        }
        let arguments: Bound<'_, PyTuple> = self.callee.bind(py).to_tuple();
        let context = self.context.bind(py);
        let call = || context.call_method1(intern!(py, "run"), arguments).map(Bound::unbind);
        let result = with_scope(locals, self.scope, call)?;
        fork::end_here(py, result.as_ref().err());
        Ok(Some(Done::Function { future: self.future, result }))
    }
}

/// Makes a call for which `scope` is what `anyio.from_thread` finds as the cancel scope.
pub(crate) fn with_scope<T>(locals: &Bound<'_, PyAny>, scope: Py<PyAny>, call: impl FnOnce() -> T) -> PyResult<T> {
    let name = intern!(locals.py(), "current_cancel_scope");
    locals.setattr(name, scope)?;
    let result = call();
    // A thread that sits must not keep a request alive. It fails only if the call has done it.
    let _ = locals.delattr(name);
    Ok(result)
}

impl Done {
    /// Gives it to who waits for it. On the event loop's thread.
    pub(crate) fn deliver(self, py: Python<'_>) -> PyResult<()> {
        let (future, result) = match self {
            Done::Function { future, result } => (future, result),
            Done::Request(exchange) => return Exchange::leave_to_loop(exchange.bind(py)),
        };
        let future = future.bind(py);
        if future.call_method0(intern!(py, "done"))?.is_truthy()? {
            return Ok(());
        }
        match result {
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
