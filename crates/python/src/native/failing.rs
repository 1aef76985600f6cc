//! Exceptions become answers: by the handlers that the application has, as `wrap_app_handling_exceptions` does it twice
//! (around the route, and around the router), and at last by its `ServerErrorMiddleware`, which raises them again.

use andon_plan::{Caller, Level};
use pyo3::{
    exceptions::{PyException, PyRuntimeError},
    intern,
    prelude::*,
    types::{PyDict, PyString},
};

use super::{
    calls::Calls,
    execution::{Execution, Route},
    exits::in_context,
    interpreter::with_traceback,
    json::{put_json, put_text},
    raising::{Raiser, Sink},
    result::{Answer, Content, Json, has_body},
    stepping::{Place, run_through},
    threads::Way,
};

/// Around what an exception is handled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    /// The route: the handler gets the request that the endpoint had.
    Route,
    /// The router: it gets one of its own.
    Router,
}

impl Execution {
    /// What becomes of how the route has ended.
    pub(crate) async fn settle(&mut self, route: Route<'_>, outcome: PyResult<()>) -> PyResult<()> {
        if outcome.is_ok() && self.scope.is_none() {
            return Ok(());
        }
        let outcome = match route.native.caller {
            Caller::Router => outcome,
            _ => self.handle(route, &route.application.calls, Around::Route, outcome).await,
        };
        let outcome = self.leave_limit(route, Level::Route, outcome).await;
        let outcome = self.leave_limit(route, Level::Router, outcome).await;
        let outcome = self.close_middleware_stack(outcome).await;
        self.pass_outward(route, outcome).await
    }

    /// By the handlers of an application, around its router.
    pub(crate) async fn handle_around_router(
        &mut self,
        route: Route<'_>,
        calls: &Calls,
        outcome: PyResult<()>,
    ) -> PyResult<()> {
        self.handle(route, calls, Around::Router, outcome).await
    }

    async fn handle(&mut self, route: Route<'_>, calls: &Calls, around: Around, outcome: PyResult<()>) -> PyResult<()> {
        let Err(error) = outcome else {
            return Ok(());
        };
        let Some(handler) = Python::attach(|py| handler(py, route, calls, &error))? else {
            return Err(error);
        };
        let error = Python::attach(|py| with_traceback(py, error));
        if self.face.has_begun() {
            let raised = PyRuntimeError::new_err("Caught handled exception, but response already started.");
            Python::attach(|py| raised.set_cause(py, Some(error)));
            return Err(raised);
        }
        match Python::attach(|py| known(route, handler.bind(py), error.value(py).as_any()))? {
            Some(answer) => self.send(route, answer).await?,
            None => {
                let response = self.call_handler(route, around, handler, &error).await?;
                if !Python::attach(|py| response.is_none(py)) {
                    self.send_response(route, response).await?;
                }
            }
        }
        if !route.application.framework.forgets_tracebacks {
            return Ok(());
        }
        // Exceptions that are raised again and again would gather tracebacks.
        Python::attach(|py| error.value(py).setattr(intern!(py, "__traceback__"), py.None()))
    }

    /// What the handler returns. It runs as if in an `except` clause.
    async fn call_handler(
        &mut self,
        route: Route<'_>,
        around: Around,
        handler: Py<PyAny>,
        error: &PyErr,
    ) -> PyResult<Py<PyAny>> {
        let framework = &route.application.framework;
        let own = handler.is(&framework.http_exception_handler) || handler.is(&framework.validation_exception_handler);
        if own && self.baton.place() == Place::Thread {
            return Python::attach(|py| run_through(handler.call1(py, (py.None(), error.value(py)))?.bind(py)));
        }
        self.baton.to_loop().await;
        let request = Python::attach(|py| self.request_for(py, route, around))?;
        let awaited = Python::attach(|py| framework.is_async_callable.bind(py).call1((&handler,))?.is_truthy())?;
        if awaited {
            let running = Python::attach(|py| handler.call1(py, (request, error.value(py))))?;
            return self.baton.wait_for(running, Some(error)).await;
        }
        let value = Python::attach(|py| error.value(py).clone().unbind());
        let returned = self.on_thread(route, Way::default(), move |py| handler.call1(py, (request, value))).await;
        returned.map_err(|raised| Python::attach(|py| in_context(py, raised, Some(error.clone_ref(py)))))
    }

    fn request_for(&mut self, py: Python<'_>, route: Route<'_>, around: Around) -> PyResult<Py<PyAny>> {
        let request = match around {
            Around::Route => self.request(py, route)?,
            Around::Router => {
                let scope = self.scope(py, route)?;
                self.new_request(py, route, &scope)?
            }
        };
        Ok(request.unbind())
    }

    /// No handler has taken it: the outermost layer of the application's stack answers, and raises it again. `outermost`:
    /// no other application is around it.
    pub(crate) async fn answer_failure(
        &mut self,
        route: Route<'_>,
        calls: &Calls,
        outcome: PyResult<()>,
        outermost: bool,
    ) -> PyResult<()> {
        let Err(error) = outcome else {
            return Ok(());
        };
        if !Python::attach(|py| error.is_instance_of::<PyException>(py)) {
            return Err(error);
        }
        self.baton.to_loop().await;
        let error = Python::attach(|py| with_traceback(py, error));
        let running = Python::attach(|py| self.server_error(py, route, calls, (&error, outermost)))?;
        match self.baton.wait_for(running, None).await {
            // It always raises; but what it has swallowed would be lost.
            Ok(_) => Err(error),
            Err(raised) => Err(raised),
        }
    }

    fn server_error(
        &mut self,
        py: Python<'_>,
        route: Route<'_>,
        calls: &Calls,
        (error, outermost): (&PyErr, bool),
    ) -> PyResult<Py<PyAny>> {
        let live = calls.server_error_middleware(py)?;
        let begun = if outermost { self.face.has_begun_outside() } else { self.face.has_begun() };
        let options = PyDict::new(py);
        options.set_item(intern!(py, "app"), Raiser::new(py, error, begun))?;
        options.set_item(intern!(py, "handler"), live.getattr(intern!(py, "handler"))?)?;
        options.set_item(intern!(py, "debug"), live.getattr(intern!(py, "debug"))?)?;
        let layer = route.application.framework.server_error_middleware.bind(py).call((), Some(&options))?;
        let send = match begun {
            true => Py::new(py, Sink)?.into_any(),
            false if outermost => self.face.outer_send(py)?,
            false => self.face.send(py)?,
        };
        Ok(layer.call1((self.scope(py, route)?, self.face.receive(py)?, send))?.unbind())
    }
}

/// The handler for an exception; `None`: there is none, or it is not for handlers.
fn handler(py: Python<'_>, route: Route<'_>, calls: &Calls, error: &PyErr) -> PyResult<Option<Py<PyAny>>> {
    if !error.is_instance_of::<PyException>(py) {
        return Ok(None);
    }
    let http_exception = route.application.framework.http_exception.bind(py);
    let handler = calls.handler(error.value(py), http_exception)?;
    Ok(handler.map(Bound::unbind))
}

/// What the framework's own handlers would answer, where that can be written here.
fn known(route: Route<'_>, handler: &Bound<'_, PyAny>, error: &Bound<'_, PyAny>) -> PyResult<Option<Answer>> {
    let framework = &route.application.framework;
    let mut body = b"{\"detail\":".to_vec();
    let status = if handler.is(&framework.validation_exception_handler) {
        put_validation_errors(&mut body, error)?
    } else if handler.is(&framework.http_exception_handler) {
        put_detail(&mut body, error)?
    } else {
        None
    };
    let Some(status) = status else {
        return Ok(None);
    };
    body.push(b'}');
    let length = Some(body.len());
    Ok(Some(Answer::Json(Json { status, content: Content::Written(body), length, more: None, background: None })))
}

/// The status of the answer; `None`: it cannot be written here.
fn put_validation_errors(body: &mut Vec<u8>, error: &Bound<'_, PyAny>) -> PyResult<Option<u16>> {
    let errors = error.call_method0(intern!(error.py(), "errors"))?;
    Ok(put_json(body, &errors).is_ok().then_some(422))
}

/// Likewise. Most exceptions with a status have a text, no headers, and a status that has a body.
fn put_detail(body: &mut Vec<u8>, error: &Bound<'_, PyAny>) -> PyResult<Option<u16>> {
    let py = error.py();
    let detail = error.getattr(intern!(py, "detail"))?;
    let headers = error.getattr_opt(intern!(py, "headers"))?;
    let status = error.getattr(intern!(py, "status_code"))?.extract::<u16>();
    let text = detail.cast_exact::<PyString>().ok().and_then(|detail| detail.to_str().ok());
    let (Some(text), Ok(status)) = (text, status) else {
        return Ok(None);
    };
    if headers.is_some_and(|headers| !headers.is_none()) || !has_body(status) {
        return Ok(None);
    }
    put_text(body, text);
    Ok(Some(status))
}
