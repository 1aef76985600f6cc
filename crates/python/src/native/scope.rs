//! The scope of a native request and the `Request` over it: built when somebody asks for them, which most routes do not.
//!
//! What is in the scope is what FastAPI has put there by the time an endpoint runs, in the same order.

use andon_plan::{Caller, Level};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

use super::{
    execution::{Execution, Route, Under},
    interpreter::Value,
};

/// The scope of a request, and what was made over it.
pub(crate) struct Scope {
    dictionary: Py<PyDict>,
    /// Made when it is asked for.
    request: Option<Py<PyAny>>,
    pub(crate) stacks: Stacks,
}

/// The exit stacks that the framework leaves in the scope, for those who know of them.
pub(crate) struct Stacks {
    /// `fastapi_middleware_astack`: closed last of all.
    pub(crate) middleware: Py<PyAny>,
    /// `fastapi_inner_astack`: closed after the answer.
    pub(crate) request: Py<PyAny>,
    /// `fastapi_function_astack`: closed before the answer.
    pub(crate) function: Py<PyAny>,
}

impl Stacks {
    fn new(py: Python<'_>, route: Route<'_>) -> PyResult<Self> {
        let stack = || route.application.framework.exit_stack.bind(py).call0().map(Bound::unbind);
        Ok(Self { middleware: stack()?, request: stack()?, function: stack()? })
    }

    /// Whether the application has put nothing on them; in doubt it has.
    fn are_unused(&self, py: Python<'_>) -> bool {
        [&self.middleware, &self.request, &self.function]
            .iter()
            .all(|stack| is_in_use(stack.bind(py)).is_ok_and(|used| !used))
    }
}

impl Scope {
    pub(crate) fn has_request(&self) -> bool {
        self.request.is_some()
    }
}

/// Whether something is to be called when the stack is closed.
pub(crate) fn is_in_use(stack: &Bound<'_, PyAny>) -> PyResult<bool> {
    stack.getattr(intern!(stack.py(), "_exit_callbacks")).and_then(|callbacks| callbacks.is_truthy())
}

impl Execution {
    /// The `Request` that everyone shares who asks for it.
    pub(crate) fn request<'py>(&mut self, py: Python<'py>, route: Route<'_>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(request) = self.scope.as_ref().and_then(|scope| scope.request.as_ref()) {
            return Ok(request.bind(py).clone());
        }
        let dictionary = self.scope(py, route)?;
        let request = self.new_request(py, route, &dictionary)?;
        self.tell_body(route, &request)?;
        if let Some(scope) = &mut self.scope {
            scope.request = Some(request.clone().unbind());
        }
        Ok(request)
    }

    /// The scope that everyone shares who asks for it.
    pub(crate) fn scope<'py>(&mut self, py: Python<'py>, route: Route<'_>) -> PyResult<Bound<'py, PyDict>> {
        if let Some(scope) = &self.scope {
            return Ok(scope.dictionary.bind(py).clone());
        }
        let stacks = Stacks::new(py, route)?;
        let dictionary = self.face.scope(py)?;
        self.complete(py, route, &dictionary, &stacks)?;
        self.scope = Some(Scope { dictionary: dictionary.clone().unbind(), request: None, stacks });
        Ok(dictionary)
    }

    /// The stack that is closed after the answer, for what is to be closed with it.
    pub(crate) fn request_stack<'py>(&mut self, py: Python<'py>, route: Route<'_>) -> PyResult<Bound<'py, PyAny>> {
        let scope = self.scope(py, route)?;
        match &self.scope {
            Some(own) => Ok(own.stacks.request.bind(py).clone()),
            None => scope.as_any().get_item(intern!(py, "fastapi_inner_astack")),
        }
    }

    /// Whether nothing is to be done after the answer.
    pub(crate) fn is_last(&self, background: &Value) -> bool {
        let unused = |scope: &Scope| Python::attach(|py| scope.stacks.are_unused(py));
        background.is_none() && !self.exits.follow_answer() && self.scope.as_ref().is_none_or(unused)
    }

    /// What is in the scope now, if it was made.
    pub(crate) fn told_in_scope<'py>(&self, key: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let scope = self.scope.as_ref();
        scope.map_or(Ok(None), |scope| scope.dictionary.bind(key.py()).get_item(key))
    }

    /// Another `Request` over the same scope.
    pub(crate) fn new_request<'py>(
        &self,
        py: Python<'py>,
        route: Route<'_>,
        scope: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let class = route.application.framework.request.bind(py);
        class.call1((scope, self.receive(py)?, self.send_callable(py)?))
    }

    fn complete(
        &mut self,
        py: Python<'_>,
        route: Route<'_>,
        scope: &Bound<'_, PyDict>,
        stacks: &Stacks,
    ) -> PyResult<()> {
        let (application, objects) = (route.application, &route.native.scope);
        if let (Some(outer), Some(roots)) = (&application.outer, &self.incoming.roots) {
            outer.complete(scope, self.under, &stacks.middleware, roots)?;
        }
        let under = if application.outer.is_some() { Under::Server } else { self.under };
        self.enter_application(py, route, scope, under)?;
        scope.set_item(intern!(py, "fastapi_middleware_astack"), &stacks.middleware)?;
        self.tell_limit(py, route, scope, Level::Router)?;
        scope.set_item(intern!(py, "router"), application.object(py, objects.router))?;
        self.enter_route(py, route, scope)?;
        if route.native.caller != Caller::Fastapi {
            return Ok(());
        }
        scope.set_item(intern!(py, "fastapi_inner_astack"), &stacks.request)?;
        scope.set_item(intern!(py, "fastapi_function_astack"), &stacks.function)
    }

    /// What the application and its layers put there.
    fn enter_application(
        &mut self,
        py: Python<'_>,
        route: Route<'_>,
        scope: &Bound<'_, PyDict>,
        under: Under,
    ) -> PyResult<()> {
        let application = route.application;
        if under == Under::Server {
            if !application.root_path.is_empty() {
                scope.set_item(intern!(py, "root_path"), &application.root_path)?;
            }
            scope.set_item(intern!(py, "app"), application.object(py, route.native.scope.app))?;
            self.tell_limit(py, route, scope, Level::Application)?;
        }
        if under != Under::Stack {
            scope.set_item(intern!(py, "starlette.exception_handlers"), application.calls.handlers(py)?)?;
        }
        Ok(())
    }

    /// What the routers put there on the way to the route, and the route.
    fn enter_route(&mut self, py: Python<'_>, route: Route<'_>, scope: &Bound<'_, PyDict>) -> PyResult<()> {
        let (application, objects) = (route.application, &route.native.scope);
        if let Some(fastapi) = objects.fastapi {
            let fastapi = application.object(py, fastapi).cast::<PyDict>()?.copy()?;
            scope.set_item(intern!(py, "fastapi"), fastapi)?;
        }
        if let Some(endpoint) = objects.endpoint {
            scope.set_item(intern!(py, "endpoint"), application.object(py, endpoint))?;
            scope.set_item(intern!(py, "path_params"), self.path_parameters(py, route)?)?;
        }
        if let Some(found) = objects.route {
            scope.set_item(intern!(py, "route"), application.object(py, found))?;
        }
        self.tell_limit(py, route, scope, Level::Route)
    }

    fn path_parameters<'py>(&self, py: Python<'py>, route: Route<'_>) -> PyResult<Bound<'py, PyDict>> {
        let parameters = PyDict::new(py);
        for (number, name) in route.native.path_names.iter().enumerate() {
            parameters.set_item(route.application.text(py, *name), self.path_parameter(py, route, number)?)?;
        }
        Ok(parameters)
    }

    /// Leaves the body that was read in the request, so that its `body()`, `json()` and `form()` have it.
    fn tell_body(&mut self, route: Route<'_>, request: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = request.py();
        if self.body.form.is_some() {
            request.setattr(intern!(py, "_stream_consumed"), true)?;
            return request.setattr(intern!(py, "_form"), self.whole_body(py, route)?);
        }
        let Some(bytes) = &self.body.bytes else {
            return Ok(());
        };
        request.setattr(intern!(py, "_stream_consumed"), true)?;
        request.setattr(intern!(py, "_body"), bytes)?;
        match &self.body.value {
            Some(value) if self.body.is_json => request.setattr(intern!(py, "_json"), value),
            _ => Ok(()),
        }
    }
}

/// The type, the value and the traceback of an exception, as `__exit__` wants them.
pub(crate) fn exception_triple<'py>(py: Python<'py>, error: Option<&PyErr>) -> PyResult<Bound<'py, PyTuple>> {
    match error {
        Some(error) => (error.get_type(py), error.value(py), error.traceback(py)).into_pyobject(py),
        None => (py.None(), py.None(), py.None()).into_pyobject(py),
    }
}
