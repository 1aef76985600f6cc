//! What the endpoint returned becomes an answer (the end of `get_request_handler`, and `serialize_response`).

use andon_plan::{Caller, ResponseField};
use pyo3::{
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyTuple},
};

use super::{
    execution::{Execution, Route},
    interpreter::{Value, call_with_flag},
    json::put_json,
    validation::{errors_of, raised},
};
use crate::{
    http::Given,
    message::{checked_status, response_head},
};

/// What the endpoint returned.
pub(crate) struct Returned {
    pub(crate) value: Py<PyAny>,
    /// What its validation came to; `None`: there was none so far.
    pub(crate) validated: Option<PyResult<Py<PyAny>>>,
}

/// What is to be sent.
pub(crate) enum Answer {
    /// JSON with the fields `content-length` and `content-type`.
    Json(Json),
    /// An object that sends itself: a `Response`.
    Response(Py<PyAny>),
}

impl Answer {
    /// The object that sends itself.
    pub(crate) fn object(&self) -> Value {
        match self {
            Answer::Json(_) => None,
            Answer::Response(response) => Some(Python::attach(|py| response.clone_ref(py))),
        }
    }
}

/// An answer whose body was written here.
pub(crate) struct Json {
    pub(crate) status: u16,
    pub(crate) content: Content,
    /// The length that is told; `None`: it is not.
    pub(crate) length: Option<usize>,
    /// More header fields: a list of pairs of bytes.
    pub(crate) more: Option<Py<PyList>>,
    /// To be called after the answer.
    pub(crate) background: Value,
}

/// A body.
pub(crate) enum Content {
    Written(Vec<u8>),
    Bytes(Py<PyBytes>),
}

impl Content {
    pub(crate) fn into_bytes(self, py: Python<'_>) -> Bound<'_, PyBytes> {
        match self {
            Content::Written(written) => PyBytes::new(py, &written),
            Content::Bytes(bytes) => bytes.into_bound(py),
        }
    }
}

impl Json {
    /// Its header fields as a `Response` has them in `raw_headers`.
    pub(crate) fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let headers = PyList::empty(py);
        if let Some(length) = self.length {
            let length = length.to_string();
            headers.append((PyBytes::new(py, b"content-length"), PyBytes::new(py, length.as_bytes())))?;
        }
        headers.append((PyBytes::new(py, b"content-type"), PyBytes::new(py, b"application/json")))?;
        for field in self.more.iter().flat_map(|more| more.bind(py)) {
            headers.append(field)?;
        }
        Ok(headers)
    }

    /// Its body as the wire takes it.
    pub(crate) fn given(self, py: Python<'_>) -> Given {
        match self.content {
            Content::Written(written) => Given::Written(written),
            Content::Bytes(bytes) => Given::Bytes(bytes.into_bound(py).into()),
        }
    }

    /// Its head as the wire has it.
    pub(crate) fn head(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        let length = self.length.map(|length| length.to_string());
        let length = length.iter().map(|length| (&b"content-length"[..], length.as_bytes()));
        let first: Vec<_> = length.chain([(&b"content-type"[..], &b"application/json"[..])]).collect();
        response_head(checked_status(self.status)?, &first, self.more.as_ref().map(|more| more.bind(py).as_any()))
    }
}

/// Whether an answer of this status has a body (`fastapi.utils.is_body_allowed_for_status_code`).
pub(crate) fn has_body(status: u16) -> bool {
    !(status < 200 || matches!(status, 204 | 205 | 304))
}

/// Whether a response of this status tells the length of its body (`Response.init_headers`).
fn has_length(status: u16) -> bool {
    !(status < 200 || matches!(status, 204 | 304))
}

pub(crate) fn is_response(route: Route<'_>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.is_instance(route.application.framework.response.bind(value.py()))
}

impl Returned {
    /// Validates what is not a `Response`, if the route has a field for it.
    pub(crate) fn validated(py: Python<'_>, route: Route<'_>, value: Py<PyAny>) -> PyResult<Self> {
        let validated = match &route.native.response.field {
            Some(field) if !is_response(route, value.bind(py))? => Some(validate(route, field, value.bind(py))),
            _ => None,
        };
        Ok(Self { value, validated: validated.map(|validated| validated.map(Bound::unbind)) })
    }
}

pub(crate) fn validate<'py>(
    route: Route<'_>,
    field: &ResponseField,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    let validate = route.application.object(py, field.validate);
    call_with_flag(validate, value, route.application.framework.from_attributes.bind(py))
}

/// What is raised for a result that its field has refused with `error`. `context`: what errors tell of the endpoint.
pub(crate) fn invalid<'py>(
    route: Route<'_>,
    value: &Bound<'py, PyAny>,
    error: PyErr,
    context: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> PyErr {
    let py = value.py();
    let raise = || {
        let location = PyTuple::new(py, [intern!(py, "response")])?;
        let errors = errors_of(route, error, &location)?;
        let class = route.application.framework.response_validation_error.bind(py);
        raised(class, &errors, value.clone().unbind(), &context()?)
    };
    raise().unwrap_or_else(|unexpected| unexpected)
}

impl Execution {
    pub(crate) fn answer(&self, py: Python<'_>, route: Route<'_>, returned: Returned) -> PyResult<Answer> {
        let value = returned.value.into_bound(py);
        if route.native.caller != Caller::Fastapi {
            // It is called as an application, whatever it is.
            return Ok(Answer::Response(value.unbind()));
        }
        if is_response(route, &value)? {
            self.attach_background(&value)?;
            return Ok(Answer::Response(value.unbind()));
        }
        let response = &route.native.response;
        let Some(field) = &response.field else {
            return self.encoded(py, route, &value);
        };
        let validated = match returned.validated {
            Some(validated) => validated.map(|validated| validated.into_bound(py)),
            None => validate(route, field, &value),
        };
        let context = || self.endpoint_context(py, route);
        let validated = validated.map_err(|error| invalid(route, &value, error, context))?;
        if response.default_class {
            let bytes = to_json(route, field, &validated)?;
            let length = bytes.as_bytes().len();
            return self.json(py, route, Content::Bytes(bytes.unbind()), length);
        }
        let serialize = route.application.object(py, field.field).getattr(intern!(py, "serialize"))?;
        let options = route.application.object(py, field.options).cast::<PyDict>()?;
        let content = serialize.call((validated,), Some(options))?;
        self.of_class(py, route, &content)
    }

    fn attach_background(&self, response: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = intern!(response.py(), "background");
        match &self.background {
            Some(background) if response.getattr(name)?.is_none() => response.setattr(name, background),
            _ => Ok(()),
        }
    }

    /// Whatever it is, encoded.
    fn encoded(&self, py: Python<'_>, route: Route<'_>, value: &Bound<'_, PyAny>) -> PyResult<Answer> {
        let framework = &route.application.framework;
        let class = route.application.object(py, route.native.response.class);
        let is_json = class.is(framework.json_response.bind(py));
        if is_json && let Some(answer) = self.written(py, route, value)? {
            return Ok(answer);
        }
        let content = framework.jsonable_encoder.bind(py).call1((value,))?;
        if is_json && let Some(answer) = self.written(py, route, &content)? {
            return Ok(answer);
        }
        self.of_class(py, route, &content)
    }

    /// Written here; `None`: it is for Python to do.
    fn written(&self, py: Python<'_>, route: Route<'_>, value: &Bound<'_, PyAny>) -> PyResult<Option<Answer>> {
        let mut body = Vec::with_capacity(128);
        if put_json(&mut body, value).is_err() {
            return Ok(None);
        }
        let length = body.len();
        self.json(py, route, Content::Written(body), length).map(Some)
    }

    fn json(&self, py: Python<'_>, route: Route<'_>, content: Content, length: usize) -> PyResult<Answer> {
        let status = self.status(py, route)?.unwrap_or(200);
        Ok(Answer::Json(Json {
            status,
            content: if has_body(status) { content } else { Content::Written(Vec::new()) },
            length: has_length(status).then_some(length),
            more: self.more_headers(py)?.map(Bound::unbind),
            background: self.background.as_ref().map(|background| background.clone_ref(py)),
        }))
    }

    /// A response of the route's class.
    fn of_class(&self, py: Python<'_>, route: Route<'_>, content: &Bound<'_, PyAny>) -> PyResult<Answer> {
        let keywords = self.response_arguments(py, route)?;
        let class = route.application.object(py, route.native.response.class);
        let response = class.call((content,), Some(&keywords))?;
        let status: u16 = response.getattr(intern!(py, "status_code"))?.extract()?;
        if !has_body(status) {
            response.setattr(intern!(py, "body"), PyBytes::new(py, b""))?;
        }
        self.add_headers(&response)?;
        Ok(Answer::Response(response.unbind()))
    }

    /// What every class of responses is given (`_build_response_args`).
    pub(crate) fn response_arguments<'py>(&self, py: Python<'py>, route: Route<'_>) -> PyResult<Bound<'py, PyDict>> {
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "background"), &self.background)?;
        if let Some(status) = self.status(py, route)? {
            keywords.set_item(intern!(py, "status_code"), status)?;
        }
        Ok(keywords)
    }

    /// Adds what the application has set on the injected response.
    pub(crate) fn add_headers(&self, response: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = response.py();
        let Some(more) = self.more_headers(py)? else {
            return Ok(());
        };
        let headers = response.getattr(intern!(py, "headers"))?.getattr(intern!(py, "raw"))?;
        headers.call_method1(intern!(py, "extend"), (more,)).map(drop)
    }

    /// The status that the application has set on the injected response, or the route's own.
    fn status(&self, py: Python<'_>, route: Route<'_>) -> PyResult<Option<u16>> {
        if let Some(response) = &self.response {
            let status = response.bind(py).getattr(intern!(py, "status_code"))?;
            if status.is_truthy()? {
                return status.extract().map(Some);
            }
        }
        Ok(route.native.response.status_code.filter(|status| *status != 0))
    }

    /// What the application has set on the injected response.
    fn more_headers<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let Some(response) = &self.response else {
            return Ok(None);
        };
        let response = response.bind(py);
        let own = response.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        let raw = if own.contains(intern!(py, "_headers"))? {
            response.getattr(intern!(py, "headers"))?.getattr(intern!(py, "raw"))?
        } else {
            response.getattr(intern!(py, "raw_headers"))?
        };
        let raw = raw.cast_into::<PyList>()?;
        Ok(Some(raw).filter(|raw| !raw.is_empty()))
    }
}

/// Serializes what a field has validated.
pub(crate) fn to_json<'py>(
    route: Route<'_>,
    field: &ResponseField,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = value.py();
    let to_json = route.application.object(py, field.to_json);
    let bytes = if field.plain {
        call_with_flag(to_json, value, route.application.framework.by_alias.bind(py))?
    } else {
        let options = route.application.object(py, field.options).cast::<PyDict>()?;
        to_json.call((value,), Some(options))?
    };
    Ok(bytes.cast_into()?)
}
