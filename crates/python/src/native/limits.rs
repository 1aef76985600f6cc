//! Limits of the size of the body (`max_body_size`), kept as `starlette.middleware.body_limit` keeps them.
//!
//! Where a body could exceed its limit, the framework's own responder stands between the request and where it comes from:
//! it counts what is received, and puts its own answer in the place of the route's. Where it cannot, nothing stands there;
//! the responder is made only for those who look at the scope.
//!
//! Several limits share one responder, that of the outermost; the innermost limit counts.

use andon_plan::Level;
use pyo3::{exceptions::PyException, intern, prelude::*, types::PyDict};

use super::{
    asgi::Asgi,
    execution::{Execution, Route},
    face::Face,
    raising::Raiser,
};

const MAX_BODY_SIZE: &str = "starlette.max_body_size";
const RESPONDER: &str = "starlette._body_limit_responder";

/// What keeps the limit of a request.
pub(crate) enum Limiter {
    /// The responder of a layer above, which was told of the limit.
    Above,
    /// A responder that has nothing to do, for those who look at the scope.
    Idle(Py<PyAny>),
    /// A responder between the request and this, where it comes from.
    Between(Py<PyAny>, Face),
}

impl Limiter {
    fn responder(&self) -> Option<&Py<PyAny>> {
        match self {
            Limiter::Above => None,
            Limiter::Idle(responder) | Limiter::Between(responder, _) => Some(responder),
        }
    }
}

impl Execution {
    /// Puts a responder between the request and where it comes from, unless there is one already.
    pub(crate) fn enter_limits(&mut self, py: Python<'_>, route: Route<'_>) -> PyResult<()> {
        let Some(limit) = route.native.limits.last() else {
            return Ok(());
        };
        let scope = self.face.scope(py)?;
        let framework = &route.application.framework;
        if framework.inner_body_limit.bind(py).call1((&scope, limit.size))?.is_truthy()? {
            self.limiter = Some(Limiter::Above);
            return Ok(());
        }
        // That of the application is around its middleware, others are inside of it.
        let around = if is_of_application(route) { self.face.take_around() } else { None };
        let responder = self.responder(py, route, &scope)?;
        let receive = responder.getattr(intern!(py, "receive_with_limit"))?.unbind();
        let send = responder.getattr(intern!(py, "send_with_limit"))?.unbind();
        let face = Face::Asgi(Asgi::new(py, scope, receive, send)?.within(around));
        let outer = std::mem::replace(&mut self.face, face);
        self.limiter = Some(Limiter::Between(responder.unbind(), outer));
        Ok(())
    }

    fn responder<'py>(
        &self,
        py: Python<'py>,
        route: Route<'_>,
        scope: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let size = route.native.limits.last().map(|limit| limit.size);
        let make = route.application.framework.body_limit.bind(py);
        make.call1((scope, self.face.receive(py)?, self.face.send(py)?, size))
    }

    /// Leaves in the scope what the framework leaves there where it passes the limit of a level.
    pub(crate) fn tell_limit(
        &mut self,
        py: Python<'_>,
        route: Route<'_>,
        scope: &Bound<'_, PyDict>,
        level: Level,
    ) -> PyResult<()> {
        let limits = &route.native.limits;
        if !limits.iter().any(|limit| limit.level == level) {
            return Ok(());
        }
        scope.set_item(MAX_BODY_SIZE, limits.last().map(|limit| limit.size))?;
        if limits[0].level != level {
            return Ok(());
        }
        if self.limiter.is_none() {
            let responder = self.responder(py, route, scope)?;
            let read = self.body.bytes.as_ref().map_or(0, |bytes| bytes.as_bytes(py).len());
            responder.setattr(intern!(py, "total_size"), read)?;
            self.limiter = Some(Limiter::Idle(responder.unbind()));
        }
        match self.limiter.as_ref().and_then(Limiter::responder) {
            Some(responder) => scope.set_item(RESPONDER, responder),
            None => Ok(()),
        }
    }

    /// The `receive` of whoever asks for it.
    pub(crate) fn receive<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.limiter {
            Some(Limiter::Idle(responder)) => responder.bind(py).getattr(intern!(py, "receive_with_limit")),
            _ => self.face.receive(py),
        }
    }

    /// Likewise `send`.
    pub(crate) fn send_callable(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match &self.limiter {
            Some(Limiter::Idle(responder)) => responder.getattr(py, intern!(py, "send_with_limit")),
            _ => self.face.send(py),
        }
    }

    /// The exception of a limit, where reading the body has raised it among others; `None`: it has not.
    pub(crate) fn limit_error(&self, py: Python<'_>, route: Route<'_>, error: &PyErr) -> Option<PyErr> {
        let limited = match &self.face {
            Face::Wire(_) => !route.native.limits.is_empty(),
            Face::Asgi(asgi) => {
                !route.native.limits.is_empty() || asgi.scope.bind(py).contains(MAX_BODY_SIZE).unwrap_or(false)
            }
        };
        let signal = || route.application.framework.body_limit_signal.bind(py).call1((error.value(py),));
        match limited.then(signal)? {
            Ok(found) => (!found.is_none()).then(|| PyErr::from_value(found)),
            Err(unexpected) => Some(unexpected),
        }
    }

    /// What becomes of how that ended which is within the limit of a level: its own exceptions become answers there.
    pub(crate) async fn leave_limit(&mut self, route: Route<'_>, level: Level, outcome: PyResult<()>) -> PyResult<()> {
        let limits = &route.native.limits;
        if self.limiter.is_none() || !limits.iter().any(|limit| limit.level == level) {
            return outcome;
        }
        let outermost = limits[0].level == level && !matches!(self.limiter, Some(Limiter::Above));
        match outcome {
            Err(error) if Python::attach(|py| error.is_instance_of::<PyException>(py)) => {
                self.baton.to_loop().await;
                let leaving = Python::attach(|py| self.leaving(py, route, &error, outermost))?;
                self.baton.wait_for(leaving, None).await.map(drop)
            }
            outcome => {
                if outermost {
                    Python::attach(|py| self.forget_limit(py, route))?;
                }
                outcome
            }
        }
    }

    /// The layers of a limit around what raises this exception, called.
    fn leaving(&mut self, py: Python<'_>, route: Route<'_>, error: &PyErr, outermost: bool) -> PyResult<Py<PyAny>> {
        let scope = self.scope(py, route)?;
        let within = route.application.framework.within_body_limit.bind(py).call1((Raiser::new(py, error, false),))?;
        let responder = self.limiter.as_ref().and_then(Limiter::responder).map(|responder| responder.clone_ref(py));
        let layer = match responder.filter(|_| outermost) {
            Some(responder) => {
                let responder = responder.into_bound(py);
                responder.setattr(intern!(py, "app"), within)?;
                let begun =
                    if is_of_application(route) { self.face.has_begun_outside() } else { self.face.has_begun() };
                if begun {
                    responder.setattr(intern!(py, "response_started"), true)?;
                }
                self.forget_limit(py, route)?;
                responder
            }
            None => within,
        };
        layer.call1((scope, self.face.receive(py)?, self.face.send(py)?)).map(Bound::unbind)
    }

    /// From here on there is no limit any more.
    fn forget_limit(&mut self, py: Python<'_>, route: Route<'_>) -> PyResult<()> {
        if let Some(Limiter::Between(_, outer)) = self.limiter.take() {
            self.face = outer;
        }
        if self.scope.is_some() {
            let scope = self.scope(py, route)?;
            for key in [RESPONDER, MAX_BODY_SIZE] {
                scope.call_method1(intern!(py, "pop"), (key, py.None()))?;
            }
        }
        Ok(())
    }
}

/// Whether the outermost limit is that of a whole application.
fn is_of_application(route: Route<'_>) -> bool {
    route.native.limits.first().is_some_and(|limit| limit.level == Level::Application)
}
