//! Native routes under middleware that only Python can run: in the place of what the framework has put behind its
//! `ExceptionMiddleware`, where the application's own chain calls them as any ASGI application.

use std::sync::{Arc, Weak};

use pyo3::{
    intern,
    prelude::*,
    pyclass::{PyTraverseError, PyVisit},
    types::PyDict,
};

use super::{application::Application, asgi::Asgi, asgi_call::Found};
use crate::serving::Serving;

/// What the framework's router leaves in a scope. If middleware was there before, the router is not the same with it.
const LEFT_BY_ROUTER: [&str; 5] = ["router", "endpoint", "path_params", "route", "fastapi"];

/// Puts native routes into the application's live middleware stack, if that is where they are to run.
///
/// `serving`: of the worker. It must live as long as `application` serves.
pub(crate) fn install(py: Python<'_>, application: &Arc<Application>, serving: Option<Arc<Serving>>) -> PyResult<()> {
    let calls = &application.calls;
    if !calls.spliced {
        return Ok(());
    }
    let application = Arc::downgrade(application);
    let core = NativeCore { application, serving, app: calls.innermost.clone_ref(py) };
    calls.exceptions.setattr(py, intern!(py, "app"), Py::new(py, core)?)
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
        if let Some(tell) = &application.calls.tell {
            tell.call1(py, (found.by(),))?;
        }
        found.call(py, application, Asgi::new(py, scope, receive, send)?, &self.app)
    }

    /// So that an application which nobody needs any more can be collected.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.app)
    }
}

impl NativeCore {
    fn find(&self, application: &Application, scope: &Bound<'_, PyDict>) -> PyResult<Found> {
        for key in LEFT_BY_ROUTER {
            if scope.contains(key)? {
                return Ok(Found::Application(format!("middleware has put `{key}` into its scope")));
            }
        }
        let current = self.serving.as_ref().and_then(|serving| serving.current(scope.py()));
        if current.is_some_and(|exchange| exchange.get().is_offloaded()) {
            return Ok(Found::Application("its endpoint is to run on a thread".to_owned()));
        }
        Ok(match Found::find(application, scope)? {
            // What the router leaves in the scope on its way to such an answer is for middleware to see.
            Found::Refusal(_) => Found::Application("no route takes method and path".to_owned()),
            found => found,
        })
    }
}
