//! What the native routes need of CPython and PyO3 does not offer: calls with keywords but without dictionaries, a context
//! around a call, and an exception that counts as being handled.
//!
//! Everything here is safe to call; the reasons are beside each block. It knows nothing of routes.

#![allow(unsafe_code, reason = "calls of CPython's C interface that PyO3 does not wrap")]

use pyo3::{
    exceptions::PySystemError,
    ffi,
    prelude::*,
    types::{PyBool, PyTuple},
};

/// A value on its way to a keyword argument; `None` until it is known.
pub(crate) type Value = Option<Py<PyAny>>;

/// Calls `function` with keyword arguments only: `names` are the keywords, `values` their values in the same order.
pub(crate) fn call_with_keywords<'py>(
    function: &Bound<'py, PyAny>,
    names: &Bound<'py, PyTuple>,
    values: &[Value],
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    if values.is_empty() {
        return function.call0();
    }
    if names.len() != values.len() || values.iter().any(Option::is_none) {
        return Err(PySystemError::new_err("a keyword argument has no value"));
    }
    // SAFETY: the thread is attached (`py`). `Option<Py<PyAny>>` has the layout of a pointer to an object (a transparent
    // non-null pointer, with `None` in its niche), all of them were seen to be there, and both `values` and `names` are
    // borrowed for the call. There are no positional arguments, so the number of names is that of the values.
    unsafe {
        let arguments = values.as_ptr().cast::<*mut ffi::PyObject>();
        Bound::from_owned_ptr_or_err(py, ffi::PyObject_Vectorcall(function.as_ptr(), arguments, 0, names.as_ptr()))
    }
}

/// Calls `function(value, name=True)`, where `name` is the only one of `names`.
pub(crate) fn call_with_flag<'py>(
    function: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
    names: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    debug_assert_eq!(names.len(), 1);
    let flag = PyBool::new(py, true);
    let arguments = [value.as_ptr(), flag.as_ptr()];
    // SAFETY: the thread is attached (`py`); one positional argument and one that is named, all borrowed for the call.
    unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            ffi::PyObject_Vectorcall(function.as_ptr(), arguments.as_ptr(), 1, names.as_ptr()),
        )
    }
}

/// The current context, copied.
pub(crate) fn copy_current_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: the thread is attached; the result is a new reference or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }
}

/// A copy of `context`, which must be a `contextvars.Context`: `TypeError` otherwise.
pub(crate) fn copy_context<'py>(context: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the thread is attached; CPython checks the type; the result is a new reference or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(context.py(), ffi::PyContext_Copy(context.as_ptr())) }
}

/// Does `act` in `context`, which must not be entered already.
pub(crate) fn within_context<'py, T>(context: &Bound<'py, PyAny>, act: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let py = context.py();
    // SAFETY: the thread is attached; CPython checks the type, and refuses a context that is entered already.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    let outcome = act();
    // SAFETY: entered above on this thread, and everything that `act` has entered it has left.
    if unsafe { ffi::PyContext_Exit(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    outcome
}

/// Leaves the traceback in the exception itself, where handlers look for it. Before CPython 3.12 it is kept beside it.
pub(crate) fn with_traceback(py: Python<'_>, error: PyErr) -> PyErr {
    if let Some(traceback) = error.traceback(py) {
        // Fails for what is no traceback only.
        let _ = error.value(py).setattr(pyo3::intern!(py, "__traceback__"), traceback);
    }
    error
}

/// Does `act` while `error` counts as the exception that is being handled, as in an `except` clause: `sys.exc_info()`
/// has it, a bare `raise` raises it again, and what is raised meanwhile has it as its context.
pub(crate) fn while_handling<T>(py: Python<'_>, error: &PyErr, act: impl FnOnce() -> T) -> T {
    let (mut kind, mut value, mut traceback) = (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
    let handled = error.value(py).clone();
    let handled_type = handled.get_type();
    let handled_traceback = error.traceback(py);
    // SAFETY: the thread is attached; the three places take new references (or null), which are given back below.
    unsafe { ffi::PyErr_GetExcInfo(&raw mut kind, &raw mut value, &raw mut traceback) };
    // SAFETY: three new references (or null for the traceback) are given away, as the function wants it.
    unsafe {
        ffi::PyErr_SetExcInfo(
            handled_type.into_ptr(),
            handled.into_ptr(),
            handled_traceback.map_or(std::ptr::null_mut(), Bound::into_ptr),
        );
    }
    let outcome = act();
    // SAFETY: gives back the references that were taken above.
    unsafe { ffi::PyErr_SetExcInfo(kind, value, traceback) };
    outcome
}
