//! A `BaseHTTPMiddleware` in the application's live middleware stack, and what is inside it.

use std::sync::Arc;

use pyo3::{
    intern,
    prelude::*,
    pyclass::{PyTraverseError, PyVisit},
    types::PyDict,
};

use super::{
    super::{asgi::Asgi, asgi::text, asgi_call::NativeCall, splice::NativeCore},
    around::{Around, Call},
    channel::Outlet,
    inner::Inner,
    parts::Parts,
    receiving::Receive,
    send::Send,
};
use crate::coroutine::await_iterator;

/// Stands for a `BaseHTTPMiddleware`, as what the layer around it calls.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct NativeDispatch {
    pub(super) parts: Arc<Parts>,
    /// The middleware itself.
    #[pyo3(get, name = "app")]
    pub(super) layer: Py<PyAny>,
    next: Next,
}

/// What is inside a middleware.
enum Next {
    Dispatch(Py<NativeDispatch>),
    /// The framework's `ExceptionMiddleware`, and native routes behind it.
    Core {
        exceptions: Py<PyAny>,
        core: Py<NativeCore>,
    },
}

/// Puts middleware into the live stack. `layers`: from the outside in, each directly around the next, the last around
/// `exceptions`. `parent`: the layer whose `app` is the first.
pub(crate) fn install(
    py: Python<'_>,
    (parent, layers): (&Py<PyAny>, &[Py<PyAny>]),
    exceptions: &Py<PyAny>,
    core: Py<NativeCore>,
) -> PyResult<()> {
    let parts = Arc::new(Parts::find(py)?);
    let mut next = Next::Core { exceptions: exceptions.clone_ref(py), core };
    for layer in layers.iter().rev() {
        let dispatch = NativeDispatch { parts: Arc::clone(&parts), layer: layer.clone_ref(py), next };
        next = Next::Dispatch(Py::new(py, dispatch)?);
    }
    match next {
        Next::Dispatch(outermost) => parent.setattr(py, intern!(py, "app"), outermost),
        Next::Core { .. } => Ok(()),
    }
}

#[pymethods]
impl NativeDispatch {
    fn __call__(
        slf: &Bound<'_, Self>,
        scope: Bound<'_, PyAny>,
        receive: Py<PyAny>,
        send: Py<PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let is_http = |scope: &Bound<'_, PyDict>| text(scope, "type").is_ok_and(|kind| kind == "http");
        // A cancel scope around it would be around what is inside, too: with a real task group, it is.
        let scoped = slf.get().parts.anyio.scopes_are_in_use(py);
        match scope.cast_exact::<PyDict>() {
            Ok(scope) if is_http(scope) && !scoped => {
                let call = Call { scope: scope.clone().unbind(), receive, send };
                let drive = Around::drive(py, slf.clone().unbind(), call);
                Ok(Py::new(py, NativeCall::new(drive))?.into_any())
            }
            _ => slf.get().layer.call1(py, (scope, receive, send)),
        }
    }

    /// So that an application which nobody needs any more can be collected.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.layer)?;
        match &self.next {
            Next::Dispatch(dispatch) => visit.call(dispatch),
            Next::Core { exceptions, core } => {
                visit.call(exceptions)?;
                visit.call(core)
            }
        }
    }
}

impl NativeDispatch {
    /// Calls what is inside; what is returned is to be awaited.
    fn call_inside(&self, py: Python<'_>, call: Call, outlet: Outlet) -> PyResult<Py<PyAny>> {
        let inside = self.layer.bind(py).getattr(intern!(py, "app"))?;
        match &self.next {
            Next::Dispatch(dispatch) if inside.is(&dispatch.get().layer) => NativeDispatch::__call__(
                dispatch.bind(py),
                call.scope.into_bound(py).into_any(),
                call.receive,
                call.send,
            ),
            Next::Core { exceptions, core } if inside.is(exceptions) => {
                let Call { scope, receive, send } = call;
                let asgi = Asgi::new(py, scope.into_bound(py), receive, send)?.with_outlet(outlet);
                core.get().serve_in_dispatch(py, asgi, exceptions)
            }
            // It was changed.
            _ => Ok(inside.call1((call.scope, call.receive, call.send))?.unbind()),
        }
    }
}

/// Starts what is inside, in a Task of its own.
pub(super) fn start_inner(py: Python<'_>, around: &Arc<Around>) -> PyResult<()> {
    let Some(call) = around.call(py) else {
        let told = "This task group is not active; no new tasks can be started.";
        return Err(pyo3::exceptions::PyRuntimeError::new_err(told));
    };
    let layer = around.layer.get();
    around.channel.expect();
    around.inner_begins();
    let receive = Py::new(py, Receive(Arc::clone(around)))?.into_any();
    let send = Py::new(py, Send(Arc::clone(&around.channel)))?.into_any();
    let outlet = Outlet::new(&around.channel);
    let inside = layer.call_inside(py, Call { receive, send, ..call }, outlet.clone());
    match inside.and_then(|inside| await_iterator(inside.into_bound(py))) {
        Ok(awaited) => Inner::start(py, (around, outlet), awaited, layer.attribution(py)),
        Err(error) => around.inner_ended(py, &outlet, Some(error)),
    }
}

impl NativeDispatch {
    fn attribution(&self, py: Python<'_>) -> Option<crate::child::Attribution> {
        match &self.next {
            Next::Dispatch(dispatch) => dispatch.get().attribution(py),
            Next::Core { core, .. } => core.get().attribution(py),
        }
    }
}
