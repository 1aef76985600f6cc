//! Native routes under middleware that only Python can run: in the place of what the framework has put behind its
//! `ExceptionMiddleware`, where the application's own chain calls them as any ASGI application.

use std::sync::{Arc, Weak};

use pyo3::{
    intern,
    prelude::*,
    pyclass::{PyTraverseError, PyVisit},
    types::PyDict,
};

use super::{application::Application, asgi::Asgi, asgi_call::Found, dispatch, execution::Under, layers::Layer};
use crate::{child::Attribution, serving::Serving};

/// What the framework's router leaves in a scope. If middleware was there before, the router is not the same with it.
const LEFT_BY_ROUTER: [&str; 6] = ["router", "endpoint", "path_params", "route", "fastapi", "app_root_path"];

/// Puts native routes into the application's live middleware stack, if that is where they are to run.
///
/// `serving`: of the worker. It must live as long as `application` serves.
pub(crate) fn install(py: Python<'_>, application: &Arc<Application>, serving: Option<Arc<Serving>>) -> PyResult<()> {
    let calls = &application.calls;
    if !calls.spliced {
        return Ok(());
    }
    let application = Arc::downgrade(application);
    let core = Py::new(py, NativeCore { application, serving, app: calls.innermost.clone_ref(py) })?;
    calls.exceptions.setattr(py, intern!(py, "app"), &core)?;
    match &calls.around {
        Some(parent) => {
            let inside = calls.layers.first().map_or(&calls.exceptions, Layer::live);
            dispatch::install(py, (parent, &calls.dispatchers), inside, core)
        }
        None => Ok(()),
    }
}

/// Native routes as what a middleware calls.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct NativeCore {
    application: Weak<Application>,
    serving: Option<Arc<Serving>>,
    /// What was in its place. It serves what is not native.
    #[pyo3(get)]
    app: Py<PyAny>,
}

#[pymethods]
impl NativeCore {
    fn __call__(
        &self,
        py: Python<'_>,
        scope: Bound<'_, PyAny>,
        receive: Py<PyAny>,
        send: Py<PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let (Some(application), Ok(known)) = (self.application.upgrade(), scope.cast_exact::<PyDict>()) else {
            return self.app.call1(py, (scope, receive, send));
        };
        let scope = known.clone();
        let found = self.find(&application, &scope)?;
        tell(py, &application, found.by())?;
        let asgi = Asgi::new(py, scope, receive, send)?.of_worker(self.serving.clone());
        found.call(py, (Under::Stack, asgi), &self.app)
    }

    /// So that an application which nobody needs any more can be collected.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.app)
    }
}

impl NativeCore {
    /// Serves a request inside a middleware with `dispatch`; `inside` serves what is not native.
    pub(crate) fn serve_in_dispatch(&self, py: Python<'_>, asgi: Asgi, inside: &Py<PyAny>) -> PyResult<Py<PyAny>> {
        if let Some(application) = self.application.upgrade()
            && let found @ Found::Route(..) = self.find(&application, asgi.scope.bind(py))?
            && let (found @ (Found::Route(..) | Found::Refusal(_)), around) =
                found.within_layers(&application, asgi.scope.bind(py))?
        {
            tell(py, &application, found.by())?;
            return found.call(py, (Under::Dispatch, asgi.of_worker(self.serving.clone()).within(around)), inside);
        }
        inside.call1(py, asgi.into_arguments(py))
    }

    /// Lets a Task that is made now count for the request in execution.
    pub(crate) fn attribution(&self, py: Python<'_>) -> Option<Attribution> {
        let serving = self.serving.as_ref()?;
        Some(Attribution::new(Arc::clone(serving), serving.current(py)?))
    }

    fn find(&self, application: &Arc<Application>, scope: &Bound<'_, PyDict>) -> PyResult<Found> {
        for key in LEFT_BY_ROUTER {
            if scope.contains(key)? {
                return Ok(Found::Application(format!("middleware has put `{key}` into its scope")));
            }
        }
        let current = self.serving.as_ref().and_then(|serving| serving.current(scope.py()));
        Ok(match Found::find(application, scope)? {
            Found::Route(within, number, mut incoming) => {
                incoming.offloaded = current.is_some_and(|exchange| exchange.get().is_offloaded());
                Found::Route(within, number, incoming)
            }
            found => found,
        })
    }
}

/// Tells who serves a request, if somebody wants to know.
fn tell(py: Python<'_>, application: &Application, by: &str) -> PyResult<()> {
    application.calls.tell.as_ref().map_or(Ok(()), |tell| tell.call1(py, (by,)).map(drop))
}
