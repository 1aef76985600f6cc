//! `CORSMiddleware` around native routes: what it does to the head of an answer (`starlette.middleware.cors`).
//!
//! The live middleware is asked what it allows, so it may be changed while it runs. Requests with the method `OPTIONS` are
//! left to the application: it is the middleware itself that answers when a browser asks what is allowed.

use std::sync::Arc;

use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyString},
};

use super::application::Application;
use crate::message::{Field, fields_of, response_head};

/// The method of requests that the middleware may answer itself.
pub(crate) const ASKING: &str = "OPTIONS";

/// The middleware, as attributes of an object. See `python/andon/native/cors.py`.
#[derive(FromPyObject)]
pub(crate) struct Cors {
    layer: Py<PyAny>,
    /// `sending(scope, send)`: the `send` that the middleware hands on.
    sending: Py<PyAny>,
}

impl Cors {
    pub(crate) fn sending(&self, py: Python<'_>, scope: &Bound<'_, PyDict>, send: &Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.sending.call1(py, (scope, send))
    }

    /// As `CORSMiddleware.send` does it.
    fn edit(&self, py: Python<'_>, origin: Option<&[u8]>, fields: &mut Vec<Field>) -> PyResult<()> {
        if let Some(origin) = origin {
            let simple = self.layer.bind(py).getattr(intern!(py, "simple_headers"))?;
            for (name, value) in simple.cast::<PyDict>()? {
                let name = latin_1(&name)?.to_ascii_lowercase();
                set(fields, &name, latin_1(&value)?);
            }
            if self.names(py, origin)? {
                set(fields, b"access-control-allow-origin", origin.to_vec());
            }
        }
        let known = fields.iter().filter(|(name, _)| name == b"vary").map(|(_, value)| &value[..]);
        let vary = known.chain([&b"Origin"[..]]).collect::<Vec<_>>().join(&b", "[..]);
        set(fields, b"vary", vary);
        Ok(())
    }

    /// Whether the answer names the origin of the request.
    fn names(&self, py: Python<'_>, origin: &[u8]) -> PyResult<bool> {
        let layer = self.layer.bind(py);
        if layer.getattr(intern!(py, "allow_all_origins"))?.is_truthy()? {
            return layer.getattr(intern!(py, "allow_credentials"))?.is_truthy();
        }
        let origin: String = origin.iter().map(|byte| char::from(*byte)).collect();
        layer.call_method1(intern!(py, "is_allowed_origin"), (origin,))?.is_truthy()
    }
}

/// The middleware around one request.
pub(crate) struct CorsAround {
    application: Arc<Application>,
    /// The value of the first `Origin` of the request.
    origin: Option<Box<[u8]>>,
}

impl CorsAround {
    /// `None`: there is no such middleware.
    pub(crate) fn of<'f>(
        application: &Arc<Application>,
        mut fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
    ) -> Option<Self> {
        application.calls.cors.as_ref()?;
        let origin = fields.find(|(name, _)| *name == b"origin").map(|(_, value)| value.into());
        Some(Self { application: Arc::clone(application), origin })
    }

    /// The head of an answer with these header fields, as the wire has it.
    pub(crate) fn head(&self, py: Python<'_>, status: u16, headers: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        let mut fields = fields_of(headers)?;
        if let Some(cors) = &self.application.calls.cors {
            cors.edit(py, self.origin.as_deref(), &mut fields)?;
        }
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        response_head(status, &fields, None)
    }

    pub(crate) fn sending(&self, py: Python<'_>, scope: &Bound<'_, PyDict>, send: Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.application.calls.cors.as_ref().map_or(Ok(send.clone_ref(py)), |cors| cors.sending(py, scope, &send))
    }
}

/// As `MutableHeaders.__setitem__`: in the place of the first of this name, and without the others.
fn set(fields: &mut Vec<Field>, name: &[u8], value: Vec<u8>) {
    let mut value = Some(value);
    fields.retain_mut(|(known, kept)| {
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
        fields.push((name.to_vec(), value));
    }
}

fn latin_1(text: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let text = text.cast::<PyString>()?;
    text.call_method1(intern!(text.py(), "encode"), (intern!(text.py(), "latin-1"),))?.extract()
}
