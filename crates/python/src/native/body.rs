//! The body of a request, read before anything else is done (`fastapi.routing.get_request_handler`).

use andon_plan::{Body, BodyKind};
use pyo3::{
    exceptions::PyException,
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};

use super::{
    execution::{Execution, Route},
    form::ReadForm,
    interpreter::call_with_keywords,
};

/// The body as it was read.
#[derive(Default)]
pub(crate) struct ReadBody {
    /// What validators get: the value of JSON, the form, or the bytes; `None`: there was nothing.
    pub(crate) value: Option<Py<PyAny>>,
    /// The bytes, once the body was read.
    pub(crate) bytes: Option<Py<PyBytes>>,
    /// `value` is the value of JSON.
    pub(crate) is_json: bool,
    /// What the form has.
    pub(crate) form: Option<ReadForm>,
}

impl Execution {
    pub(crate) async fn read_body(&mut self, route: Route<'_>, body: &Body) -> PyResult<()> {
        if let Some(limits) = body.form {
            return self.read_form(route, limits).await;
        }
        let pieces = match self.face.read_body(route, &self.baton).await {
            Ok(pieces) => pieces,
            Err(error) => return Err(Python::attach(|py| self.body_error(py, route, error))),
        };
        Python::attach(|py| {
            let bytes = joined(py, &pieces)?;
            self.take_body(py, route, body, bytes).map_err(|error| self.body_error(py, route, error))
        })
    }

    fn take_body(&mut self, py: Python<'_>, route: Route<'_>, body: &Body, bytes: Bound<'_, PyBytes>) -> PyResult<()> {
        self.body.bytes = Some(bytes.clone().unbind());
        if bytes.as_bytes().is_empty() {
            return Ok(());
        }
        self.body.is_json = match self.incoming.body {
            BodyKind::Json => true,
            BodyKind::Bytes => false,
            BodyKind::Unsure => self.is_json(py, route, body)?,
        };
        let value = if self.body.is_json { from_json(route, &bytes)? } else { bytes.into_any() };
        self.body.value = Some(value.unbind());
        Ok(())
    }

    /// Whether the content type says so, in the words of `get_request_handler`.
    fn is_json(&self, py: Python<'_>, route: Route<'_>, body: &Body) -> PyResult<bool> {
        let Some(content_type) = &self.incoming.unsure else {
            return Ok(!body.strict_content_type);
        };
        let text: String = content_type.iter().map(|byte| char::from(*byte)).collect();
        let message = route.application.framework.message.bind(py).call0()?;
        message.set_item("content-type", text)?;
        let main: String = message.call_method0("get_content_maintype")?.extract()?;
        let sub: String = message.call_method0("get_content_subtype")?.extract()?;
        Ok(main == "application" && (sub == "json" || sub.ends_with("+json")))
    }

    /// What is raised for an error in reading the body.
    pub(crate) fn body_error(&self, py: Python<'_>, route: Route<'_>, error: PyErr) -> PyErr {
        let framework = &route.application.framework;
        let is = |class: &Py<PyAny>| error.matches(py, class.bind(py)).unwrap_or(false);
        let raised = if is(&framework.json_decode_error) {
            self.json_error(py, route, &error)
        } else if is(&framework.http_exception) || !error.is_instance_of::<PyException>(py) {
            return error;
        } else {
            self.limit_error(py, route, &error).map_or_else(|| parsing_error(py, route), Ok)
        };
        match raised {
            Ok(raised) => {
                raised.set_cause(py, Some(error));
                raised
            }
            Err(unexpected) => unexpected,
        }
    }

    fn json_error(&self, py: Python<'_>, route: Route<'_>, error: &PyErr) -> PyResult<PyErr> {
        let error = error.value(py);
        let described = PyDict::new(py);
        described.set_item("type", "json_invalid")?;
        described.set_item("loc", ("body", error.getattr("pos")?))?;
        described.set_item("msg", "JSON decode error")?;
        described.set_item("input", PyDict::new(py))?;
        let context = PyDict::new(py);
        context.set_item("error", error.getattr("msg")?)?;
        described.set_item("ctx", context)?;
        let errors = PyList::new(py, [described])?;
        self.validation_error(py, route, &errors, error.getattr("doc")?.unbind())
    }
}

/// The one piece that there mostly is, or all of them together.
pub(crate) fn joined<'py>(py: Python<'py>, pieces: &[Py<PyAny>]) -> PyResult<Bound<'py, PyBytes>> {
    match pieces {
        [] => Ok(PyBytes::new(py, b"")),
        [piece] if piece.bind(py).is_exact_instance_of::<PyBytes>() => Ok(piece.bind(py).cast::<PyBytes>()?.clone()),
        pieces => Ok(PyBytes::new(py, b"").call_method1(intern!(py, "join"), (pieces,))?.cast_into()?),
    }
}

/// Where pydantic's reader succeeds, its values are those of `json.loads`; everything else is for that one to say.
fn from_json<'py>(route: Route<'_>, bytes: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyAny>> {
    let framework = &route.application.framework;
    let py = bytes.py();
    match framework.from_json.bind(py).call1((bytes,)) {
        Ok(value) => Ok(value),
        Err(_) => framework.json_loads.bind(py).call1((bytes,)),
    }
}

fn parsing_error(py: Python<'_>, route: Route<'_>) -> PyResult<PyErr> {
    let framework = &route.application.framework;
    let names = PyTuple::new(py, ["status_code", "detail"])?;
    let status = 400_u16.into_pyobject(py)?.into_any().unbind();
    let detail = PyString::new(py, "There was an error parsing the body").into_any().unbind();
    let error = call_with_keywords(framework.http_exception.bind(py), &names, &[Some(status), Some(detail)])?;
    Ok(PyErr::from_value(error))
}
