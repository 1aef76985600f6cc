//! An answer that is there as a whole: status, header fields, body.

use pyo3::{
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString},
};

use crate::{
    http::Given,
    message::{Field, bytes, checked_status, fields_of, response_head, status_of},
    native::{
        asgi::{named, start},
        result::Json,
    },
};

/// A whole answer.
pub(crate) struct Whole {
    pub(crate) status: u16,
    pub(crate) fields: Vec<Field>,
    pub(crate) body: Given,
    /// The list in which a `Response` has its header fields: what changes these, changes that list as well.
    pub(crate) kept: Option<Py<PyList>>,
}

impl Whole {
    /// A refusal in words, as a `PlainTextResponse` with more header fields before its own.
    pub(crate) fn text(status: u16, mut fields: Vec<Field>, text: &str) -> Self {
        fields.push((b"content-length".to_vec(), text.len().to_string().into_bytes()));
        fields.push((b"content-type".to_vec(), b"text/plain; charset=utf-8".to_vec()));
        Self { status, fields, body: Given::Written(text.as_bytes().to_vec()), kept: None }
    }

    /// As a `RedirectResponse`.
    pub(crate) fn redirect(location: String) -> Self {
        let fields = vec![(b"content-length".to_vec(), b"0".to_vec()), (b"location".to_vec(), location.into_bytes())];
        Self { status: 307, fields, body: Given::Written(Vec::new()), kept: None }
    }

    pub(crate) fn of_json(py: Python<'_>, json: Json) -> PyResult<Self> {
        let mut fields = Vec::with_capacity(8);
        if let Some(length) = json.length {
            fields.push((b"content-length".to_vec(), length.to_string().into_bytes()));
        }
        fields.push((b"content-type".to_vec(), b"application/json".to_vec()));
        if let Some(more) = &json.more {
            fields.extend(fields_of(more.bind(py))?);
        }
        Ok(Self { status: checked_status(json.status)?, fields, body: json.given(py), kept: None })
    }

    /// As a `Response` would send it by itself. `shared`: by the requests of many.
    pub(crate) fn of_response(response: &Bound<'_, PyAny>, shared: bool) -> PyResult<Self> {
        let py = response.py();
        let status = status_of(&response.getattr(intern!(py, "status_code"))?)?;
        let headers = response.getattr(intern!(py, "raw_headers"))?;
        let fields = fields_of(&headers)?;
        let body = Given::Bytes(bytes(&response.getattr(intern!(py, "body"))?)?);
        let kept = headers.cast_into::<PyList>().ok().filter(|_| !shared).map(Bound::unbind);
        Ok(Self { status, fields, body, kept })
    }

    /// Its header fields as a message has them.
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        match &self.kept {
            Some(kept) => Ok(kept.bind(py).clone()),
            None => self.new_headers(py),
        }
    }

    /// The messages that send it.
    pub(crate) fn messages(self, py: Python<'_>) -> PyResult<(Py<PyDict>, Py<PyDict>)> {
        let start = start(self.status.into_pyobject(py)?.as_any(), self.headers(py)?.as_any())?;
        let body = PyDict::new(py);
        body.set_item(intern!(py, "body"), self.body.into_object(py)?)?;
        Ok((start, named(body)?))
    }

    fn new_headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let pair = |(name, value): &Field| (PyBytes::new(py, name), PyBytes::new(py, value));
        PyList::new(py, self.fields.iter().map(pair))
    }

    /// Its head as the wire has it.
    pub(crate) fn head(&self) -> PyResult<Vec<u8>> {
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        response_head(self.status, &fields, None)
    }

    /// The value of the first field of this name.
    pub(crate) fn field(&self, name: &[u8]) -> Option<&[u8]> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| &value[..])
    }

    /// As `MutableHeaders.__setitem__`: in the place of the first of this name, and without the others.
    pub(crate) fn set(&mut self, name: &[u8], value: Vec<u8>) {
        let mut value = Some(value);
        self.fields.retain_mut(|(known, kept)| {
            if known != name {
                return true;
            }
            let first = value.take();
            let is_first = first.is_some();
            if let Some(value) = first {
                *kept = value;
            }
            is_first
        });
        if let Some(value) = value {
            self.fields.push((name.to_vec(), value));
        }
    }

    /// As `MutableHeaders.add_vary_header`.
    pub(crate) fn add_vary(&mut self, added: &[u8]) {
        let known = self.fields.iter().filter(|(name, _)| name == b"vary").map(|(_, value)| &value[..]);
        let vary = known.chain([added]).collect::<Vec<_>>().join(&b", "[..]);
        self.set(b"vary", vary);
    }

    /// Has the `Response` know the header fields as they are now.
    pub(crate) fn keep(&self, py: Python<'_>) -> PyResult<()> {
        let Some(kept) = &self.kept else {
            return Ok(());
        };
        let kept = kept.bind(py);
        kept.set_slice(0, kept.len(), self.new_headers(py)?.as_any())
    }
}

/// What answers a request that no route takes, or that a layer does not let through.
pub(crate) enum Refused {
    /// By a `Response` that is the same for all such requests.
    Response(Py<PyAny>),
    Whole(Whole),
}

/// The bytes of a text that Latin-1 can write.
pub(super) fn latin_1(text: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let text = text.cast::<PyString>()?;
    text.call_method1(intern!(text.py(), "encode"), (intern!(text.py(), "latin-1"),))?.extract()
}
