//! What the inspection hands over beside the description: the running application. See `python/andon/native/calls.py`.

use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::{layers::Layer, mounted::Mounted};

/// The running application, as attributes of an object; others than these are not looked at.
#[derive(FromPyObject)]
pub(crate) struct Calls {
    /// The application. What is not native is given to it. The outermost layer of its `middleware_stack`, which must be
    /// a `ServerErrorMiddleware`, answers for exceptions that no handler takes.
    pub(crate) app: Py<PyAny>,
    /// `on_change()`: called once when a guard fails; it inspects anew.
    pub(crate) on_change: Py<PyAny>,
    /// The live dictionary of exception handlers by class, of the application's `ExceptionMiddleware`.
    exception_handlers: Py<PyDict>,
    /// Likewise by status.
    status_handlers: Py<PyDict>,
    /// The `ExceptionMiddleware` itself.
    pub(crate) exceptions: Py<PyAny>,
    /// What the framework has put behind it.
    pub(crate) innermost: Py<PyAny>,
    /// Native routes take the place of `innermost`, under the live middleware of the application.
    pub(crate) spliced: bool,
    /// The middleware directly around `exceptions`, from the outermost in, that is done here: all that there is, or inside
    /// of `dispatchers`.
    pub(crate) layers: Vec<Layer>,
    /// The middleware with `dispatch` that can be done here, from the outside in, directly around `layers` or `exceptions`.
    pub(crate) dispatchers: Vec<Py<PyAny>>,
    /// The layer whose `app` is the first of them; `None`: there are none.
    pub(crate) around: Option<Py<PyAny>>,
    /// The applications that it mounts.
    pub(crate) mounts: Vec<Mounted>,
    /// `tell(by)`: who has served a request under live middleware, for tests.
    pub(crate) tell: Option<Py<PyAny>>,
}

impl Calls {
    /// What `scope["starlette.exception_handlers"]` is.
    pub(crate) fn handlers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (&self.exception_handlers, &self.status_handlers).into_pyobject(py)
    }

    /// The handler for an exception, by its status if it is an `http_exception`, else by its classes in their order
    /// (`starlette._exception_handler`).
    pub(crate) fn handler<'py>(
        &self,
        error: &Bound<'py, PyAny>,
        http_exception: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = error.py();
        if error.is_instance(http_exception)? {
            let status = error.getattr(intern!(py, "status_code"))?;
            let handler = self.status_handlers.bind(py).get_item(status)?;
            if let Some(handler) = handler.filter(|handler| !handler.is_none()) {
                return Ok(Some(handler));
            }
        }
        for class in error.get_type().mro() {
            if let Some(handler) = self.exception_handlers.bind(py).get_item(class)? {
                return Ok(Some(handler).filter(|handler| !handler.is_none()));
            }
        }
        Ok(None)
    }

    /// The outermost layer of the application's middleware stack.
    pub(crate) fn server_error_middleware<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.app.bind(py).getattr(intern!(py, "middleware_stack"))
    }
}
