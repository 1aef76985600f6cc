//! An item of a stream is validated and written: `_serialize_item` and `_serialize_sse_item` of `get_request_handler`.
//!
//! [`ItemWriter`] is what the generators of `andon.native.streams` call, on the event loop or on a thread, when the code
//! of the request has long gone on to send the answer.

use std::sync::Arc;

use pyo3::{prelude::*, types::PyBytes};

use super::{
    application::Application,
    execution::Route,
    json::put_json_item,
    result::{invalid, to_json, validate},
};

/// What stands around each item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A line end after it.
    Line,
    /// It is the data of an event.
    Event,
}

/// Writes the items of one answer.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct ItemWriter {
    pub(crate) application: Arc<Application>,
    /// The number of the route.
    pub(crate) number: usize,
    pub(crate) frame: Frame,
    /// What errors tell of the endpoint.
    pub(crate) context: Py<PyAny>,
}

#[pymethods]
impl ItemWriter {
    fn __call__<'py>(&self, py: Python<'py>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let framework = &self.application.framework;
        if self.frame == Frame::Event && item.is_instance(framework.server_sent_event.bind(py))? {
            return framework.event.bind(py).call1((item,));
        }
        let mut written = Vec::with_capacity(128);
        if self.frame == Frame::Event {
            written.extend_from_slice(b"data: ");
        }
        self.put(&mut written, item)?;
        // JSON as it is written for a stream has no line ends of its own.
        written.extend_from_slice(if self.frame == Frame::Event { b"\n\n" } else { b"\n" });
        Ok(PyBytes::new(py, &written).into_any())
    }
}

impl ItemWriter {
    /// Appends an item as JSON (`_serialize_data`).
    fn put(&self, out: &mut Vec<u8>, item: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = item.py();
        let route = Route::of(&self.application, self.number);
        if let Some(field) = &route.native.response.field {
            let validated = validate(route, field, item)
                .map_err(|error| invalid(route, item, error, || Ok(self.context.bind(py).clone())))?;
            out.extend_from_slice(to_json(route, field, &validated)?.as_bytes());
            return Ok(());
        }
        let begin = out.len();
        if put_json_item(out, item).is_err() {
            out.truncate(begin);
            let json = self.application.framework.json_of.bind(py).call1((item,))?;
            out.extend_from_slice(json.cast::<PyBytes>()?.as_bytes());
        }
        Ok(())
    }
}
