//! Native routes as an ASGI application: for tests that compare them with the application itself, message by message,
//! without a server between.
//!
//! Calls on threads are left to anyio, since there is no pool.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use andon_plan::Captures;
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
    paths::route_path,
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
        let (number, incoming) = match self.find(&scope)? {
            Ok(found) => found,
            Err(reason) => {
                tell(&reason)?;
                return self.0.calls.app.call1(py, (scope, receive, send));
            }
        };
        tell("native")?;
        let sender = Py::new(py, Sender { send, begun: AtomicBool::new(false) })?;
        let face = Face::Asgi(Asgi { scope: scope.unbind(), receive, sender });
        let drive = Execution::new(self.0.route(number), face, incoming).into_drive(Arc::clone(&self.0), number);
        Ok(Py::new(py, NativeCall(Mutex::new(Some(drive))))?.into_any())
    }
}

impl NativeApp {
    /// The route that serves a request and what it takes of it, or why the application has to.
    fn find(&self, scope: &Bound<'_, PyDict>) -> PyResult<Result<(usize, Incoming), String>> {
        let py = scope.py();
        if text(scope, "type")? != "http" {
            return Ok(Err("it is no HTTP request".to_owned()));
        }
        let Ok(head) = ScopeHead::read(scope, &self.0) else {
            return Ok(Err("its scope is unusual".to_owned()));
        };
        let mut captures = Captures::new();
        match self.0.find(py, &head.method, &head.path, &mut captures) {
            Served::ByApplication(reason) => Ok(Err(reason)),
            Served::Natively(number) => {
                let fields = head.fields.iter().map(|(name, value)| (&name[..], &value[..]));
                let parts = Parts { path: &head.path, captures, query: &head.query, fields };
                Ok(Ok((number, Incoming::gather(self.0.route(number), parts))))
            }
        }
    }
}

/// What of a scope decides who serves it, and what its route asks for.
struct ScopeHead {
    method: String,
    path: String,
    query: PyBackedBytes,
    fields: Vec<(PyBackedBytes, PyBackedBytes)>,
}

impl ScopeHead {
    fn read(scope: &Bound<'_, PyDict>, application: &Application) -> PyResult<Self> {
        let get = |key: &str| scope.get_item(key)?.ok_or_else(|| PyValueError::new_err(key.to_owned()));
        let mut fields = Vec::new();
        for field in get("headers")?.try_iter()? {
            fields.push(field?.extract()?);
        }
        let path: String = get("path")?.extract()?;
        let own = &application.root_path;
        let root_path = if own.is_empty() { text(scope, "root_path")? } else { own.clone() };
        Ok(Self {
            method: get("method")?.extract()?,
            path: route_path(&path, &root_path).to_owned(),
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
