//! Where a native request comes from and its answer goes: the wire, or an ASGI server.

use andon_wire::head::RequestHead;
use pyo3::{exceptions::PyRuntimeError, intern, prelude::*, types::PyDict};

use super::{
    asgi::Asgi,
    cors::CorsAround,
    execution::Route,
    mounted::Roots,
    result::Json,
    stepping::{Baton, Place},
};
use crate::{
    awaitable::{Until, Wait},
    exchange::Exchange,
    http::{Given, Received},
    message::{bytes, checked_status, response_head, status_of},
};

/// Where a request comes from and its answer goes.
pub(crate) enum Face {
    Wire(Wire),
    Asgi(Asgi),
}

/// An exchange of this worker.
pub(crate) struct Wire {
    pub(crate) exchange: Py<Exchange>,
    /// The request head as it came, without the body.
    pub(crate) head: Box<[u8]>,
    pub(crate) cors: Option<CorsAround>,
}

impl Face {
    // For the application

    /// The scope as a server makes it.
    pub(crate) fn scope<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        match self {
            Face::Wire(wire) => wire.exchange.get().scope_of(py, &wire.head),
            Face::Asgi(asgi) => Ok(asgi.scope.bind(py).clone()),
        }
    }

    pub(crate) fn receive<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Face::Wire(wire) => wire.exchange.bind(py).getattr(intern!(py, "receive")),
            Face::Asgi(asgi) => Ok(asgi.receive.bind(py).clone()),
        }
    }

    pub(crate) fn send(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Face::Wire(Wire { cors: Some(cors), .. }) => cors.sending(py, &self.scope(py)?, self.outer_send(py)?),
            Face::Wire(_) => self.outer_send(py),
            Face::Asgi(asgi) => Ok(asgi.sender.clone_ref(py).into_any()),
        }
    }

    /// The server's `send`, around middleware that is done here.
    pub(crate) fn outer_send(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Face::Wire(wire) => wire.exchange.bind(py).getattr(intern!(py, "asgi_send")).map(Bound::unbind),
            Face::Asgi(asgi) => Ok(asgi.outer_send(py)),
        }
    }

    /// What errors tell of the endpoint: function, file, line, and the route's path.
    /// `roots`: of a mounted application.
    pub(crate) fn endpoint_context<'py>(
        &self,
        py: Python<'py>,
        route: Route<'_>,
        roots: Option<&Roots>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let application = route.application;
        let endpoint = application.object(py, route.native.program.endpoint().call);
        let context = application.framework.endpoint_context.bind(py).call1((endpoint,))?;
        let (method, root_path) = match self {
            Face::Wire(wire) => {
                let head =
                    RequestHead::parse(&wire.head).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
                (head.0.method.to_owned(), wire.exchange.get().root_path().to_owned())
            }
            Face::Asgi(asgi) => (asgi.text(py, "method")?, asgi.text(py, "root_path")?),
        };
        let own = if application.root_path.is_empty() { &root_path } else { &application.root_path };
        let root_path = roots.map_or(own.as_str(), |roots| &roots.root_path);
        let path = format!("{method} {}{}", root_path.trim_end_matches('/'), route.objects.path);
        context.set_item(intern!(py, "path"), path)?;
        Ok(context)
    }

    // The request

    /// The whole body in pieces.
    pub(crate) async fn read_body(&self, route: Route<'_>, baton: &Baton) -> PyResult<Vec<Py<PyAny>>> {
        let mut pieces = Vec::new();
        loop {
            let received = match self {
                Face::Wire(wire) => match Python::attach(|py| wire.exchange.get().next_piece(py))? {
                    Received::Nothing => {
                        let waiting = Python::attach(|py| wire.wait(py, Until::Message))?;
                        baton.wait_for(waiting, None).await?;
                        continue;
                    }
                    received => received,
                },
                Face::Asgi(asgi) => asgi.next_piece(baton).await?,
            };
            match received {
                Received::Body { bytes, more } => {
                    pieces.extend(bytes);
                    if !more {
                        return Ok(pieces);
                    }
                }
                _ => return Err(Python::attach(|py| disconnected(py, route))),
            }
        }
    }

    // The answer

    /// Whether an answer was begun.
    pub(crate) fn has_begun(&self) -> bool {
        match self {
            Face::Wire(wire) => wire.exchange.get().has_begun(),
            Face::Asgi(asgi) => asgi.sender.get().has_begun(),
        }
    }

    /// Sends JSON. `last`: nothing is done after it, so that it need not be written at once.
    pub(crate) async fn send_json(&self, baton: &Baton, json: Json, last: bool) -> PyResult<()> {
        match self {
            Face::Wire(wire) => {
                let (head, given) = Python::attach(|py| PyResult::Ok((wire.json_head(py, &json)?, json.given(py))))?;
                wire.give(baton, head, given, last).await
            }
            Face::Asgi(asgi) => asgi.send_json(baton, json, last).await,
        }
    }

    /// Sends a `Response` as its own `__call__` would.
    pub(crate) async fn send_response(&self, baton: &Baton, response: Py<PyAny>, last: bool) -> PyResult<()> {
        match self {
            Face::Wire(wire) => {
                let (head, body) = Python::attach(|py| {
                    let response = response.bind(py);
                    let headers = response.getattr(intern!(py, "raw_headers"))?;
                    let status = status_of(&response.getattr(intern!(py, "status_code"))?)?;
                    let head = wire.head(py, status, &headers)?;
                    PyResult::Ok((head, bytes(&response.getattr(intern!(py, "body"))?)?))
                })?;
                wire.give(baton, head, Given::Bytes(body), last).await
            }
            Face::Asgi(asgi) => asgi.send_response(baton, response, last).await,
        }
    }

    // Threads

    /// Has `function()` called on a thread; what is returned is to be awaited.
    pub(crate) fn submit<'py>(
        &self,
        route: Route<'_>,
        function: Bound<'py, PyAny>,
        urgent: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = function.py();
        let anyio = &route.application.anyio;
        if let Face::Wire(wire) = self
            && anyio.has_default_limiter(py)
            && !anyio.scopes_are_in_use(py)
        {
            return wire.exchange.get().submit(&wire.exchange, function, urgent);
        }
        route.application.framework.run_in_threadpool.bind(py).call1((function,))
    }
}

fn disconnected(py: Python<'_>, route: Route<'_>) -> PyErr {
    match route.application.framework.client_disconnect.bind(py).call0() {
        Ok(error) => PyErr::from_value(error),
        Err(unexpected) => unexpected,
    }
}

impl Wire {
    fn json_head(&self, py: Python<'_>, json: &Json) -> PyResult<Vec<u8>> {
        match &self.cors {
            Some(_) => self.head(py, checked_status(json.status)?, json.headers(py)?.as_any()),
            None => json.head(py),
        }
    }

    fn head(&self, py: Python<'_>, status: u16, headers: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        match &self.cors {
            Some(cors) => cors.head(py, status, headers),
            None => response_head(status, &[], Some(headers)),
        }
    }

    fn wait(&self, py: Python<'_>, until: Until) -> PyResult<Py<PyAny>> {
        self.exchange.get().new_waiter(py, until).map(|future| future.into_any().unbind())
    }

    /// Gives an answer, and waits until it has gone.
    async fn give(&self, baton: &Baton, head: Vec<u8>, given: Given, last: bool) -> PyResult<()> {
        let exchange = self.exchange.get();
        Python::attach(|py| exchange.give(py, head, given, last && baton.place() == Place::Thread))?;
        if exchange.is_writable() {
            return Ok(());
        }
        let waiting =
            Python::attach(|py| Py::new(py, Wait::new(self.exchange.clone_ref(py), Until::Sent)).map(Py::into_any))?;
        baton.wait_for(waiting, None).await.map(drop)
    }
}
