//! Native routes as an ASGI application: for tests that compare them with the application itself, message by message,
//! without a server between.
//!
//! Calls on threads are left to anyio, since there is no pool.

use std::sync::Arc;

use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::{
    application::{Application, Inspected},
    asgi::Asgi,
    asgi_call::Found,
    calls::Calls,
    execution::Under,
    splice,
};

/// Native routes as an ASGI application.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct NativeApp(Arc<Application>);

#[pymethods]
impl NativeApp {
    /// See `Worker.set_native`.
    #[new]
    fn new(
        py: Python<'_>,
        description: String,
        objects: Vec<Py<PyAny>>,
        guards: Vec<Py<PyTuple>>,
        calls: Calls,
    ) -> PyResult<Self> {
        let inspected = Inspected { description, objects, guards, calls };
        let application = Arc::new(Application::new(py, inspected, None, None)?);
        splice::install(py, &application, None)?;
        Ok(Self(application))
    }

    /// Serves a request natively, or has the application do it. `served` is told "native" or why not; but what runs under
    /// live middleware tells it to `calls.tell`.
    #[pyo3(signature = (scope, receive, send, served = None))]
    fn __call__(
        &self,
        py: Python<'_>,
        scope: Bound<'_, PyDict>,
        receive: Py<PyAny>,
        send: Py<PyAny>,
        served: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let calls = &self.0.calls;
        if calls.spliced {
            self.0.is_current(py);
            return calls.app.call1(py, (scope, receive, send));
        }
        let tell = |by: &str| served.as_ref().map_or(Ok(()), |served| served.call1((by,)).map(drop));
        let (found, around) = Found::find(&self.0, &scope)?.within_layers(&self.0, &scope)?;
        tell(found.by())?;
        let asgi = Asgi::new(py, scope, receive, send)?.within(around);
        found.call(py, (Under::Server, asgi), &calls.app)
    }
}
