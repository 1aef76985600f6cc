//! Starlette's own middleware around native routes, where an application has no other: what each layer does with a
//! request, and with its answer.
//!
//! ```text
//!   around          the layers around one request: who refuses it, what they make of an answer
//!   whole           an answer that is there as a whole, which they change
//!   cors            header fields for answers to other origins      preflight        what a browser asks before
//!   gzip            compression                                     trusted_host, https_redirect     refusals
//! ```
//! The live middleware is asked what it is set to, so it may be changed while it runs. An answer that is sent in parts
//! goes through the middleware's own `send`, and so does what is unusual; a request that is unusual for a layer goes to
//! the application.

use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};

mod around;
mod cors;
mod gzip;
mod https_redirect;
mod preflight;
mod trusted_host;
mod whole;

pub(crate) use around::{Around, Asked, Entered};
pub(crate) use whole::{Refused, Whole};

use around::Seen;

/// A layer, as attributes of an object. See `python/andon/native/known_layers.py`.
#[derive(FromPyObject)]
pub(crate) struct Layer {
    #[pyo3(from_py_with = kind_of)]
    kind: Kind,
    /// The middleware itself.
    live: Py<PyAny>,
    /// `sending(scope, send, noted)`: the `send` that it hands on.
    sending: Py<PyAny>,
}

/// Which class of middleware it is.
#[derive(Clone, Copy)]
enum Kind {
    Cors,
    Gzip,
    TrustedHost,
    HttpsRedirect,
}

fn kind_of(name: &Bound<'_, PyAny>) -> PyResult<Kind> {
    match name.extract::<&str>()? {
        "CORSMiddleware" => Ok(Kind::Cors),
        "GZipMiddleware" => Ok(Kind::Gzip),
        "TrustedHostMiddleware" => Ok(Kind::TrustedHost),
        "HTTPSRedirectMiddleware" => Ok(Kind::HttpsRedirect),
        other => Err(PyValueError::new_err(format!("`{other}` cannot be run here"))),
    }
}

/// What a layer does with a request.
enum Met {
    /// It lets it through, and has noted this for the answer.
    Passed(Noted),
    /// It answers by itself.
    Refused(Whole),
    /// Only it can tell.
    Unsure,
}

/// What a layer has noted when the request came.
enum Noted {
    Nothing,
    Gzip(gzip::Settings),
}

impl Layer {
    pub(crate) fn live(&self) -> &Py<PyAny> {
        &self.live
    }

    fn meet(&self, py: Python<'_>, asked: &Asked<'_>, seen: &Seen<'_>) -> PyResult<Met> {
        let live = self.live.bind(py);
        match self.kind {
            Kind::Cors => preflight::meet(live, asked, seen),
            Kind::Gzip => gzip::Settings::of(live, seen).map(|settings| Met::Passed(Noted::Gzip(settings))),
            Kind::TrustedHost => trusted_host::meet(live, asked, seen),
            Kind::HttpsRedirect => Ok(https_redirect::meet(asked, seen)),
        }
    }

    /// Makes of a whole answer what it makes of it; false: it must be sent through it.
    fn edit(&self, py: Python<'_>, noted: &Noted, origin: Option<&[u8]>, whole: &mut Whole) -> PyResult<bool> {
        match (self.kind, noted) {
            (Kind::Cors, _) => cors::edit(self.live.bind(py), origin, whole).map(|()| true),
            (Kind::Gzip, Noted::Gzip(settings)) => settings.edit(py, whole),
            _ => Ok(true),
        }
    }

    /// The `send` that it hands on, around `send`.
    fn sending(
        &self,
        py: Python<'_>,
        scope: &Bound<'_, PyDict>,
        send: Py<PyAny>,
        noted: &Noted,
    ) -> PyResult<Py<PyAny>> {
        match (self.kind, noted) {
            (Kind::Cors, _) => self.sending.call1(py, (scope, send, py.None())),
            (Kind::Gzip, Noted::Gzip(settings)) => self.sending.call1(py, (scope, send, settings.as_tuple(py)?)),
            _ => Ok(send),
        }
    }
}
