//! Where a native request comes from and its answer goes: the wire, or an ASGI server.

use andon_wire::head::RequestHead;
use pyo3::{exceptions::PyRuntimeError, intern, prelude::*, types::PyDict};

use super::{
    asgi::Asgi,
    execution::Route,
    layers::{Around, Refused, Whole},
    mounted::Roots,
    result::Json,
    stepping::{Baton, Place},
};
use crate::{
    awaitable::{Until, Wait},
    exchange::Exchange,
    http::{Given, Received},
    message::{bytes, response_head, status_of},
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
    /// Middleware that is done here.
    pub(crate) around: Option<Around>,
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
        match self.around() {
            Some(around) => around.send(py, &self.scope(py)?, self.outer_send(py)?),
            None => self.outer_send(py),
        }
    }

    /// Middleware that is done here, which is not any more.
    pub(crate) fn take_around(&mut self) -> Option<Around> {
        match self {
            Face::Wire(wire) => wire.around.take(),
            Face::Asgi(asgi) => asgi.around.take(),
        }
    }

    fn around(&self) -> Option<&Around> {
        match self {
            Face::Wire(wire) => wire.around.as_ref(),
            Face::Asgi(asgi) => asgi.around.as_ref(),
        }
    }

    /// The server's `send`, around middleware that is done here.
    pub(crate) fn outer_send(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Face::Wire(wire) => wire.exchange.bind(py).getattr(intern!(py, "asgi_send")).map(Bound::unbind),
            Face::Asgi(asgi) => Ok(asgi.sender.clone_ref(py).into_any()),
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
        let (pieces, _) = self.read_body_while(route, baton, |_| true).await?;
        Ok(pieces)
    }

    /// The body in pieces, up to the one that is the last or for which `goes_on` is false; and whether there is more.
    pub(crate) async fn read_body_while(
        &self,
        route: Route<'_>,
        baton: &Baton,
        mut goes_on: impl FnMut(&Py<PyAny>) -> bool,
    ) -> PyResult<(Vec<Py<PyAny>>, bool)> {
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
                    let ends = bytes.as_ref().is_some_and(|piece| !goes_on(piece));
                    pieces.extend(bytes);
                    if ends || !more {
                        return Ok((pieces, more));
                    }
                }
                _ => return Err(Python::attach(|py| disconnected(py, route))),
            }
        }
    }

    // The answer

    /// Whether an answer was begun.
    pub(crate) fn has_begun(&self) -> bool {
        let begun = |around: &Around| Python::attach(|py| around.has_begun(py));
        self.around().is_some_and(begun) || self.has_begun_outside()
    }

    /// Likewise outside of middleware that is done here, which may hold the head back.
    pub(crate) fn has_begun_outside(&self) -> bool {
        match self {
            Face::Wire(wire) => wire.exchange.get().has_begun(),
            Face::Asgi(asgi) => asgi.sender.get().has_begun(),
        }
    }

    /// Sends JSON. `last`: nothing is done after it, so that it need not be written at once.
    pub(crate) async fn send_json(&self, baton: &Baton, json: Json, last: bool) -> PyResult<()> {
        if let Some(around) = self.around() {
            let whole = Python::attach(|py| Whole::of_json(py, json))?;
            return self.send_around(baton, around, whole, last).await;
        }
        match self {
            Face::Wire(wire) => {
                let (head, given) = Python::attach(|py| PyResult::Ok((json.head(py)?, json.given(py))))?;
                wire.give(baton, head, given, last).await
            }
            Face::Asgi(asgi) => asgi.send_json(baton, json, last).await,
        }
    }

    /// Sends a `Response` as its own `__call__` would.
    pub(crate) async fn send_response(&self, baton: &Baton, response: Py<PyAny>, last: bool) -> PyResult<()> {
        if let Some(around) = self.around() {
            let whole = Python::attach(|py| Whole::of_response(response.bind(py), false))?;
            return self.send_around(baton, around, whole, last).await;
        }
        match self {
            Face::Wire(wire) => {
                let (head, body) = Python::attach(|py| {
                    let response = response.bind(py);
                    let headers = response.getattr(intern!(py, "raw_headers"))?;
                    let status = status_of(&response.getattr(intern!(py, "status_code"))?)?;
                    let head = response_head(status, &[], Some(&headers))?;
                    PyResult::Ok((head, bytes(&response.getattr(intern!(py, "body"))?)?))
                })?;
                wire.give(baton, head, Given::Bytes(body), last).await
            }
            Face::Asgi(asgi) => asgi.send_response(baton, response, last).await,
        }
    }

    /// Sends what answers a request that does not come to a route.
    pub(crate) async fn send_refusal(&self, baton: &Baton, refused: Refused) -> PyResult<()> {
        let whole = match (refused, self.around()) {
            (Refused::Response(response), None) => return self.send_response(baton, response, true).await,
            (Refused::Response(response), Some(_)) => Python::attach(|py| Whole::of_response(response.bind(py), true))?,
            (Refused::Whole(whole), _) => whole,
        };
        match self.around() {
            Some(around) => self.send_around(baton, around, whole, true).await,
            None => self.send_whole(baton, whole, true).await,
        }
    }

    /// Sends an answer through middleware.
    async fn send_around(&self, baton: &Baton, around: &Around, mut whole: Whole, last: bool) -> PyResult<()> {
        let left = Python::attach(|py| around.edit(py, &mut whole))?;
        if left == 0 {
            return self.send_whole(baton, whole, last).await;
        }
        let (send, start, body) = Python::attach(|py| {
            let send = around.sending(py, &self.scope(py)?, self.outer_send(py)?, left)?;
            let (start, body) = whole.messages(py)?;
            PyResult::Ok((send, start, body))
        })?;
        for message in [start, body] {
            let sending = Python::attach(|py| send.call1(py, (message,)))?;
            baton.wait_for(sending, None).await?;
        }
        Ok(())
    }

    /// Sends an answer as it is.
    async fn send_whole(&self, baton: &Baton, whole: Whole, last: bool) -> PyResult<()> {
        match self {
            Face::Wire(wire) => {
                let head = whole.head()?;
                wire.give(baton, head, whole.body, last).await
            }
            Face::Asgi(asgi) => asgi.send_whole(baton, whole, last).await,
        }
    }

    // Threads

    /// Whether the Task is being ended by a middleware around it.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(self, Face::Asgi(asgi) if asgi.is_ending())
    }

    /// Has `function()` called on a thread; what is returned is to be awaited.
    pub(crate) fn submit<'py>(
        &self,
        route: Route<'_>,
        function: Bound<'py, PyAny>,
        urgent: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = function.py();
        let anyio = &route.application.anyio;
        if anyio.has_default_limiter(py) && !anyio.scopes_are_in_use(py) {
            let submitted = match self {
                Face::Wire(wire) => Some(wire.exchange.get().submit(&wire.exchange, &function, urgent)),
                Face::Asgi(asgi) => asgi.submit(&function, urgent),
            };
            if let Some(submitted) = submitted {
                return submitted;
            }
        }
        let framework = &route.application.framework;
        let run = if urgent { &framework.exit_on_thread } else { &framework.run_in_threadpool };
        run.bind(py).call1((function,))
    }
}

fn disconnected(py: Python<'_>, route: Route<'_>) -> PyErr {
    match route.application.framework.client_disconnect.bind(py).call0() {
        Ok(error) => PyErr::from_value(error),
        Err(unexpected) => unexpected,
    }
}

impl Wire {
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
