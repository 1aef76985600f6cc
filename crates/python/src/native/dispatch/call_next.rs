//! `call_next`: runs the application inside, and waits for the head of its answer.

use std::sync::Arc;

use pyo3::{
    exceptions::{PyAssertionError, PyRuntimeError},
    intern,
    prelude::*,
    types::PyDict,
};

use super::{
    super::stepping::Baton,
    around::{Around, raised_from_itself, set_context},
    calling::Calling,
    response::streaming_response,
};
use crate::message::kind;

/// What `dispatch` is given.
#[pyclass(frozen, module = "andon._andon", name = "call_next")]
pub(super) struct CallNext(pub(super) Arc<Around>);

#[pymethods]
impl CallNext {
    fn __call__(&self, request: Py<PyAny>) -> Calling {
        // What is inside gets the scope of the middleware itself, whatever this one is.
        drop(request);
        let around = Arc::clone(&self.0);
        Calling::of(|baton| async move { call(&around, &baton).await.map(Some) })
    }
}

async fn call(around: &Arc<Around>, baton: &Baton) -> PyResult<Py<PyAny>> {
    Python::attach(|py| super::layer::start_inner(py, around))?;
    let mut info = None;
    loop {
        let Some(message) = around.channel.receive(baton).await? else {
            return Err(Python::attach(|py| no_response(py, around)));
        };
        let hint = Python::attach(|py| {
            let message = message.bind(py);
            match kind(message)?.to_str()? {
                "http.response.debug" => info = message.get_item(intern!(py, "info"))?.map(Bound::unbind),
                "http.response.early_hint" => return send(py, around, message).map(Some),
                "http.response.start" => return Ok(None),
                _ => return Err(PyAssertionError::new_err(())),
            }
            PyResult::Ok(Some(py.None()))
        })?;
        match hint {
            None => return Python::attach(|py| streaming_response(py, around, message.bind(py), info)),
            Some(hint) if Python::attach(|py| hint.is_none(py)) => {}
            Some(hint) => drop(baton.wait_for(hint, None).await?),
        }
    }
}

fn send(py: Python<'_>, around: &Around, message: &Bound<'_, PyDict>) -> PyResult<Py<PyAny>> {
    around.call(py).map_or_else(|| Ok(py.None()), |call| call.send.call1(py, (message,)))
}

/// What `call_next` raises where the end of the stream is handled.
fn no_response(py: Python<'_>, around: &Around) -> PyErr {
    let end = match around.parts.end_of_stream.call0(py) {
        Ok(end) => end,
        Err(unexpected) => return unexpected,
    };
    match around.take_error(py) {
        Some(error) => {
            raised_from_itself(py, &error, true, end);
            error
        }
        None => {
            let error = PyRuntimeError::new_err("No response returned.");
            set_context(py, &error, end);
            error
        }
    }
}
