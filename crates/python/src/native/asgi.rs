//! Native routes as an ASGI application: for tests that compare them with the application itself, message by message,
//! without a server between.
//!
//! Calls on threads are left to anyio, since there is no pool.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use andon_plan::{Captures, RequestPath};
use parking_lot::Mutex;
use pyo3::{
    exceptions::{PyRuntimeError, PyStopIteration, PyValueError},
    intern,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyDict, PyTuple},
};

use super::{
    application::{Application, Served},
    calls::Calls,
    execution::Execution,
    face::Face,
    incoming::{Incoming, Parts},
    refusals::refuse,
    result::Json,
    stepping::{Baton, Drive, Place, Progress},
};
use crate::{
    awaitable::thrown,
    http::Received,
    message::{flag, kind},
};

/// The parts of an ASGI call.
pub(crate) struct Asgi {
    pub(crate) scope: Py<PyDict>,
    pub(crate) receive: Py<PyAny>,
    pub(crate) sender: Py<Sender>,
}

impl Asgi {
    /// A text of the scope; empty: it is not there.
    pub(crate) fn text(&self, py: Python<'_>, key: &str) -> PyResult<String> {
        text(self.scope.bind(py), key)
    }

    /// The next message of the request's body.
    pub(crate) async fn next_piece(&self, baton: &Baton) -> PyResult<Received> {
        let receiving = Python::attach(|py| self.receive.call0(py))?;
        let message = baton.wait_for(receiving, None).await?;
        Python::attach(|py| {
            let message = message.bind(py).cast::<PyDict>()?;
            if kind(message)?.to_str()? != "http.request" {
                return Ok(Received::Disconnect);
            }
            let bytes = message.get_item(intern!(py, "body"))?.filter(|bytes| bytes.is_truthy().unwrap_or(true));
            Ok(Received::Body { bytes: bytes.map(Bound::unbind), more: flag(message, intern!(py, "more_body"))? })
        })
    }

    pub(crate) async fn send_json(&self, baton: &Baton, json: Json) -> PyResult<()> {
        let (start, body) = Python::attach(|py| {
            let body = PyDict::new(py);
            let headers = json.headers(py)?;
            body.set_item(intern!(py, "body"), json.content.into_bytes(py))?;
            PyResult::Ok((start(json.status.into_pyobject(py)?.as_any(), headers.as_any())?, named(body)?))
        })?;
        self.send(baton, start).await?;
        self.send(baton, body).await
    }

    pub(crate) async fn send_response(&self, baton: &Baton, response: Py<PyAny>) -> PyResult<()> {
        let (start, body) = Python::attach(|py| {
            let response = response.bind(py);
            let body = PyDict::new(py);
            body.set_item(intern!(py, "body"), response.getattr(intern!(py, "body"))?)?;
            let status = response.getattr(intern!(py, "status_code"))?;
            PyResult::Ok((start(&status, &response.getattr(intern!(py, "raw_headers"))?)?, named(body)?))
        })?;
        self.send(baton, start).await?;
        self.send(baton, body).await
    }

    async fn send(&self, baton: &Baton, message: Py<PyDict>) -> PyResult<()> {
        let sending = Python::attach(|py| self.sender.get().__call__(py, message.bind(py)))?;
        baton.wait_for(sending, None).await.map(drop)
    }
}

fn start(status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Py<PyDict>> {
    let py = status.py();
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
    message.set_item(intern!(py, "status"), status)?;
    message.set_item(intern!(py, "headers"), headers)?;
    Ok(message.unbind())
}

fn named(message: Bound<'_, PyDict>) -> PyResult<Py<PyDict>> {
    let py = message.py();
    message.set_item(intern!(py, "type"), intern!(py, "http.response.body"))?;
    Ok(message.unbind())
}

fn text(scope: &Bound<'_, PyDict>, key: &str) -> PyResult<String> {
    scope.get_item(key)?.map_or(Ok(String::new()), |value| value.extract())
}

/// The server's `send`, which notices that an answer has begun.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Sender {
    send: Py<PyAny>,
    begun: AtomicBool,
}

impl Sender {
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }
}

#[pymethods]
impl Sender {
    fn __call__(&self, py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Py<PyAny>> {
        if kind(message)?.to_str()? == "http.response.start" {
            self.begun.store(true, Ordering::Relaxed);
        }
        self.send.call1(py, (message,))
    }
}

/// Native routes as an ASGI application.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct NativeApp(Arc<Application>);

#[pymethods]
impl NativeApp {
    /// See `Worker.set_native`.
    #[new]
    fn new(
        py: Python<'_>,
        description: &str,
        objects: Vec<Py<PyAny>>,
        guards: Vec<Bound<'_, PyTuple>>,
        calls: Calls,
    ) -> PyResult<Self> {
        Application::new(py, description, objects, &guards, calls, None).map(|application| Self(Arc::new(application)))
    }

    /// Serves a request natively, or has the application do it. `served` is told "native" or why not.
    #[pyo3(signature = (scope, receive, send, served = None))]
    fn __call__(
        &self,
        py: Python<'_>,
        scope: Bound<'_, PyDict>,
        receive: Py<PyAny>,
        send: Py<PyAny>,
        served: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let tell = |by: &str| served.as_ref().map_or(Ok(()), |served| served.call1((by,)).map(drop));
        let found = self.find(&scope)?;
        if let Found::Application(reason) = &found {
            tell(reason)?;
            return self.0.calls.app.call1(py, (scope, receive, send));
        }
        tell("native")?;
        let sender = Py::new(py, Sender { send, begun: AtomicBool::new(false) })?;
        let face = Face::Asgi(Asgi { scope: scope.unbind(), receive, sender });
        let drive = match found {
            Found::Route(number, incoming) => {
                Execution::new(self.0.route(number), face, *incoming).into_drive(Arc::clone(&self.0), number)
            }
            Found::Refusal(response) => refuse(face, response),
            Found::Application(reason) => return Err(PyRuntimeError::new_err(reason)),
        };
        Ok(Py::new(py, NativeCall(Mutex::new(Some(drive))))?.into_any())
    }
}

impl NativeApp {
    fn find(&self, scope: &Bound<'_, PyDict>) -> PyResult<Found> {
        let py = scope.py();
        if text(scope, "type")? != "http" {
            return Ok(Found::Application("it is no HTTP request".to_owned()));
        }
        let Ok(head) = ScopeHead::read(scope) else {
            return Ok(Found::Application("its scope is unusual".to_owned()));
        };
        let path = self.0.path(&head.path, &head.root_path);
        let mut captures = Captures::new();
        Ok(match self.0.find(py, &head.method, &path, &mut captures) {
            Served::ByApplication(reason) => Found::Application(reason),
            Served::Refused(response) => Found::Refusal(response),
            Served::Natively(number) => Found::Route(number, Box::new(self.gather(number, &head, &path, captures))),
        })
    }

    fn gather(&self, number: usize, head: &ScopeHead, path: &RequestPath<'_>, captures: Captures) -> Incoming {
        let fields = head.fields.iter().map(|(name, value)| (&name[..], &value[..]));
        let parts = Parts { path: path.routed(), captures, query: &head.query, fields };
        Incoming::gather(self.0.route(number), parts)
    }
}

/// Who serves a request.
enum Found {
    /// The native route of this number, with what it takes of the request.
    Route(usize, Box<Incoming>),
    /// None: it is answered so.
    Refusal(Py<PyAny>),
    /// The application, for this reason.
    Application(String),
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
        let get = |key: &str| scope.get_item(key)?.ok_or_else(|| PyValueError::new_err(key.to_owned()));
        let mut fields = Vec::new();
        for field in get("headers")?.try_iter()? {
            fields.push(field?.extract()?);
        }
        Ok(Self {
            method: get("method")?.extract()?,
            path: get("path")?.extract()?,
            root_path: text(scope, "root_path")?,
            query: get("query_string")?.extract()?,
            fields,
        })
    }
}

/// A call of [`NativeApp`], to be awaited.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct NativeCall(Mutex<Option<Drive>>);

impl NativeCall {
    fn step(&self, thrown: Option<PyErr>) -> PyResult<Option<Py<PyAny>>> {
        let drive = self.0.lock().take();
        let mut drive = drive.ok_or_else(|| PyRuntimeError::new_err("cannot reuse already awaited coroutine"))?;
        match drive.step(Place::Loop, thrown) {
            Progress::Yielded(value) => {
                *self.0.lock() = Some(drive);
                Ok(Some(value))
            }
            Progress::Ended(outcome) => outcome.map(|()| None),
            Progress::WantsLoop => Err(PyRuntimeError::new_err("it is on the event loop already")),
        }
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
        self.step(None)
    }

    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.step(None)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        self.step(Some(thrown(arguments)?))?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    fn close(&self) {
        let abandoned = self.0.lock().take();
        drop(abandoned);
    }
}
