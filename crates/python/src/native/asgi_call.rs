//! Native routes called as an ASGI application: which route a scope takes, and the awaitable that serves it.

use std::sync::Arc;

use andon_plan::Captures;
use pyo3::{
    exceptions::{PyStopIteration, PyValueError},
    intern,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyDict, PyTuple},
};

use super::{
    application::{Application, Served},
    asgi::{Asgi, text},
    execution::{Execution, Under},
    face::Face,
    incoming::{Incoming, Parts},
    layers::{Around, Asked, Entered, Refused},
    refusals::refuse,
    stepping::{Awaited, Drive},
};
use crate::awaitable::thrown;

/// Who serves a request.
pub(crate) enum Found {
    /// A native route, with what it takes of the request.
    Route(Arc<Application>, usize, Box<Incoming>),
    /// No route, or a layer around the routes: it is answered so.
    Refusal(Refused),
    /// The application, for this reason.
    Application(String),
}

impl Found {
    /// For a request of this scope.
    pub(crate) fn find(application: &Arc<Application>, scope: &Bound<'_, PyDict>) -> PyResult<Self> {
        if text(scope, "type")? != "http" {
            return Ok(Found::Application("it is no HTTP request".to_owned()));
        }
        let Ok(head) = ScopeHead::read(scope) else {
            return Ok(Found::Application("its scope is unusual".to_owned()));
        };
        let mut captures = Captures::new();
        let paths = (&*head.path, &*head.root_path);
        Ok(match application.find(scope.py(), &head.method, paths, &mut captures) {
            Served::ByApplication(reason) => Found::Application(reason),
            Served::Refused(response) => Found::Refusal(Refused::Response(response)),
            Served::Natively(taken) => {
                let fields = head.fields.iter().map(|(name, value)| (&name[..], &value[..]));
                let path = taken.path(&head.path, &head.root_path).routed();
                let parts = Parts { path, captures, query: &head.query, fields };
                let mut incoming = Incoming::gather(taken.application.route(taken.number), parts);
                incoming.roots = taken.roots;
                Found::Route(taken.application, taken.number, Box::new(incoming))
            }
        })
    }

    /// Likewise, if layers around the routes are done here; and what they are for this request.
    pub(crate) fn within_layers(
        self,
        application: &Arc<Application>,
        scope: &Bound<'_, PyDict>,
    ) -> PyResult<(Self, Option<Around>)> {
        if application.calls.layers.is_empty() || matches!(self, Found::Application(_)) {
            return Ok((self, None));
        }
        let head = ScopeHead::read(scope)?;
        let secure = match &*text(scope, "scheme")? {
            "http" => false,
            "https" => true,
            _ => return Ok((Found::Application("its scheme is unusual".to_owned()), None)),
        };
        let asked = Asked { method: &head.method, secure, path: &head.path, query: &head.query };
        let fields = head.fields.iter().map(|(name, value)| (&name[..], &value[..]));
        let is_limited = matches!(&self, Found::Route(_, _, incoming) if incoming.limited);
        Ok(match Entered::of(scope.py(), application, &asked, fields) {
            Entered::Inside(around) => (self, around),
            Entered::Refused(..) if is_limited => {
                (Found::Application("a limit around middleware that answers".to_owned()), None)
            }
            Entered::Refused(around, whole) => (Found::Refusal(Refused::Whole(whole)), Some(around)),
            Entered::Unsure => (Found::Application("it is unusual for middleware".to_owned()), None),
        })
    }

    /// By whom it is served, for people.
    pub(crate) fn by(&self) -> &str {
        match self {
            Found::Application(reason) => reason,
            Found::Route(..) | Found::Refusal(_) => "native",
        }
    }

    /// What serves it, to be awaited. `other`: the application that serves what is not native.
    pub(crate) fn call(self, py: Python<'_>, (under, asgi): (Under, Asgi), other: &Py<PyAny>) -> PyResult<Py<PyAny>> {
        let drive = match self {
            Found::Application(_) => return other.call1(py, asgi.into_arguments(py)),
            Found::Refusal(refused) => refuse(Face::Asgi(asgi), refused),
            Found::Route(application, number, incoming) => {
                Execution::new(application.route(number), under, Face::Asgi(asgi), *incoming)
                    .into_drive(application, number)
            }
        };
        Ok(Py::new(py, NativeCall::new(drive))?.into_any())
    }
}

/// What of a scope decides who serves it, and what its route asks for.
struct ScopeHead {
    method: String,
    path: String,
    root_path: String,
    query: PyBackedBytes,
    fields: Vec<(PyBackedBytes, PyBackedBytes)>,
}

impl ScopeHead {
    fn read(scope: &Bound<'_, PyDict>) -> PyResult<Self> {
        let py = scope.py();
        let get = |key| scope.get_item(key)?.ok_or_else(|| PyValueError::new_err("a key is missing"));
        let mut fields = Vec::new();
        for field in get(intern!(py, "headers"))?.try_iter()? {
            fields.push(field?.extract()?);
        }
        Ok(Self {
            method: get(intern!(py, "method"))?.extract()?,
            path: get(intern!(py, "path"))?.extract()?,
            root_path: text(scope, "root_path")?,
            query: get(intern!(py, "query_string"))?.extract()?,
            fields,
        })
    }
}

/// A native request under ASGI, to be awaited.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct NativeCall(Awaited);

impl NativeCall {
    pub(crate) fn new(drive: Drive) -> Self {
        Self(Awaited::new(drive))
    }
}

#[pymethods]
impl NativeCall {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> PyResult<Option<Py<PyAny>>> {
        self.0.step(None)
    }

    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.0.step(None)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        self.0.step(Some(thrown(arguments)?))?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    fn close(&self) {
        self.0.close();
    }
}
