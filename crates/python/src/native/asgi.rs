//! A native request that comes by an ASGI call: its scope, its `receive`, and its `send`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyList},
};

use super::{
    dispatch::Outlet,
    layers::{Around, Whole},
    result::Json,
    stepping::Baton,
};
use crate::{
    http::Received,
    message::{flag, kind},
    serving::Serving,
    threads::{Submission, submit},
};

/// The parts of an ASGI call.
pub(crate) struct Asgi {
    pub(crate) scope: Py<PyDict>,
    pub(crate) receive: Py<PyAny>,
    pub(crate) sender: Py<Sender>,
    /// Middleware that is done here.
    pub(crate) around: Option<Around>,
    /// Where `send` puts messages, if that is inside a middleware.
    outlet: Option<Outlet>,
    /// Of the worker whose request it is, if it is known.
    serving: Option<Arc<Serving>>,
}

impl Asgi {
    pub(crate) fn new(py: Python<'_>, scope: Bound<'_, PyDict>, receive: Py<PyAny>, send: Py<PyAny>) -> PyResult<Self> {
        let sender = Py::new(py, Sender::new(send))?;
        Ok(Self { scope: scope.unbind(), receive, sender, around: None, outlet: None, serving: None })
    }

    pub(crate) fn with_outlet(self, outlet: Outlet) -> Self {
        Self { outlet: Some(outlet), ..self }
    }

    /// In this worker.
    pub(crate) fn of_worker(self, serving: Option<Arc<Serving>>) -> Self {
        Self { serving, ..self }
    }

    /// Has a function called on a thread of the worker; what is returned is to be awaited. `None`: there is no worker.
    pub(crate) fn submit<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        urgent: bool,
    ) -> Option<PyResult<Bound<'py, PyAny>>> {
        let py = function.py();
        let serving = self.serving.as_ref()?;
        let submission = Submission { scope: py.None(), urgent, exchange: serving.current(py) };
        Some(PyList::new(py, [function]).and_then(|callee| submit(serving, callee, submission)))
    }

    /// Whether the middleware that it is in ends it.
    pub(crate) fn is_ending(&self) -> bool {
        self.outlet.as_ref().is_some_and(Outlet::is_ending)
    }

    /// Tells the middleware that it is in whether a dependency is being closed. False: there is none.
    pub(crate) fn tell_exit(&self, begins: bool) -> bool {
        self.outlet.as_ref().is_some_and(|outlet| {
            outlet.set_exiting(begins);
            true
        })
    }

    /// Within this middleware.
    pub(crate) fn within(self, around: Option<Around>) -> Self {
        Self { around, ..self }
    }

    /// `scope`, `receive` and `send` as they came.
    pub(crate) fn into_arguments(self, py: Python<'_>) -> (Py<PyDict>, Py<PyAny>, Py<PyAny>) {
        (self.scope, self.receive, self.sender.get().send.clone_ref(py))
    }

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

    pub(crate) async fn send_json(&self, baton: &Baton, json: Json, last: bool) -> PyResult<()> {
        let (start, body) = Python::attach(|py| {
            let body = PyDict::new(py);
            let headers = json.headers(py)?;
            body.set_item(intern!(py, "body"), json.content.into_bytes(py))?;
            PyResult::Ok((start(json.status.into_pyobject(py)?.as_any(), headers.as_any())?, named(body)?))
        })?;
        self.send(baton, start).await?;
        self.send_body(baton, body, last).await
    }

    pub(crate) async fn send_response(&self, baton: &Baton, response: Py<PyAny>, last: bool) -> PyResult<()> {
        let (start, body) = Python::attach(|py| {
            let response = response.bind(py);
            let body = PyDict::new(py);
            body.set_item(intern!(py, "body"), response.getattr(intern!(py, "body"))?)?;
            let status = response.getattr(intern!(py, "status_code"))?;
            PyResult::Ok((start(&status, &response.getattr(intern!(py, "raw_headers"))?)?, named(body)?))
        })?;
        self.send(baton, start).await?;
        self.send_body(baton, body, last).await
    }

    /// Sends what middleware has made of an answer.
    pub(crate) async fn send_whole(&self, baton: &Baton, whole: Whole, last: bool) -> PyResult<()> {
        let (start, body) = Python::attach(|py| whole.messages(py))?;
        self.send(baton, start).await?;
        self.send_body(baton, body, last).await
    }

    /// Sends a whole body. `last`: nothing is done after it.
    async fn send_body(&self, baton: &Baton, body: Py<PyDict>, last: bool) -> PyResult<()> {
        match &self.outlet {
            Some(outlet) if last => Python::attach(|py| outlet.send_last(body.bind(py))),
            _ => self.send(baton, body).await,
        }
    }

    async fn send(&self, baton: &Baton, message: Py<PyDict>) -> PyResult<()> {
        let sending = Python::attach(|py| self.sender.get().__call__(py, message.bind(py)))?;
        baton.wait_for(sending, None).await.map(drop)
    }
}

pub(crate) fn start(status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Py<PyDict>> {
    let py = status.py();
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
    message.set_item(intern!(py, "status"), status)?;
    message.set_item(intern!(py, "headers"), headers)?;
    Ok(message.unbind())
}

pub(crate) fn named(message: Bound<'_, PyDict>) -> PyResult<Py<PyDict>> {
    let py = message.py();
    message.set_item(intern!(py, "type"), intern!(py, "http.response.body"))?;
    Ok(message.unbind())
}

/// A text of a scope; empty: it is not there.
pub(crate) fn text(scope: &Bound<'_, PyDict>, key: &str) -> PyResult<String> {
    scope.get_item(key)?.map_or(Ok(String::new()), |value| value.extract())
}

/// The server's `send`, which notices that an answer has begun.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Sender {
    send: Py<PyAny>,
    begun: AtomicBool,
}

impl Sender {
    pub(crate) fn new(send: Py<PyAny>) -> Self {
        Self { send, begun: AtomicBool::new(false) }
    }

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
