//! One step of a coroutine, without the cost of a Python call.

use pyo3::{ffi, prelude::*};

/// What a step came to, with what was returned.
pub(crate) enum Advance<'py> {
    /// It waits for this (a future, or `None` for one turn of the loop).
    Yielded(Bound<'py, PyAny>),
    /// It has returned this.
    Returned(Bound<'py, PyAny>),
}

/// What a step came to.
pub(crate) enum Step<'py> {
    /// It waits for this (a future, or `None` for one turn of the loop).
    Yielded(Bound<'py, PyAny>),
    /// It has returned.
    Returned,
}

/// Runs `awaited` (a coroutine, or the iterator of an awaitable) to its next suspension.
pub(crate) fn step<'py>(awaited: &Bound<'py, PyAny>) -> PyResult<Step<'py>> {
    advance(awaited).map(|outcome| match outcome {
        Advance::Yielded(value) => Step::Yielded(value),
        Advance::Returned(_) => Step::Returned,
    })
}

/// As [`step`], and keeps what was returned.
#[allow(unsafe_code, reason = "PyO3's own `send` takes only iterators, and a coroutine is none")]
pub(crate) fn advance<'py>(awaited: &Bound<'py, PyAny>) -> PyResult<Advance<'py>> {
    let py = awaited.py();
    let mut result = std::ptr::null_mut();
    // SAFETY: the thread is attached (`py`); both arguments are borrowed from live objects; on return `result` is a
    // new reference unless the outcome is an error, and each arm takes it over exactly once.
    match unsafe { ffi::PyIter_Send(awaited.as_ptr(), py.None().as_ptr(), &raw mut result) } {
        ffi::PySendResult::PYGEN_NEXT => {
            // SAFETY: a new reference, see above.
            Ok(Advance::Yielded(unsafe { Bound::from_owned_ptr(py, result) }))
        }
        ffi::PySendResult::PYGEN_RETURN => {
            // SAFETY: a new reference, see above.
            Ok(Advance::Returned(unsafe { Bound::from_owned_ptr(py, result) }))
        }
        ffi::PySendResult::PYGEN_ERROR => Err(PyErr::fetch(py)),
    }
}

/// What `await` would iterate: the object itself for a coroutine, else what its `__await__` gives.
pub(crate) fn await_iterator<'py>(awaitable: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if is_coroutine(&awaitable) {
        return Ok(awaitable);
    }
    awaitable.call_method0(pyo3::intern!(awaitable.py(), "__await__"))
}

/// Whether it is what an `async def` returns.
#[allow(unsafe_code, reason = "a type check that PyO3 does not offer")]
pub(crate) fn is_coroutine(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: reads the type of a live object.
    unsafe { ffi::PyCoro_CheckExact(object.as_ptr()) != 0 }
}

/// Whether it is what an `async def` with `yield` returns.
#[allow(unsafe_code, reason = "a type check that PyO3 does not offer")]
pub(crate) fn is_async_generator(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: reads the type of a live object; there are no subclasses of it.
    unsafe { ffi::PyAsyncGen_CheckExact(object.as_ptr()) != 0 }
}
