//! Applications of FastAPI that another one mounts: compiled like that one, with a plan of their own, and found through it.
//!
//! `starlette.routing.Mount` tells the mounted application a longer root path, and leaves the path as it is. What nobody
//! within has an answer for goes on through the layers of the application around.

use std::sync::Arc;

use andon_plan::{Level, RequestPath};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::{
    application::{Application, Inspected},
    calls::Calls,
    execution::{Execution, Route, Under},
};

/// A mounted application as the inspection describes it. See `python/andon/native/calls.py`.
#[derive(FromPyObject)]
pub(crate) struct Mounted {
    /// The number of the mount among all routes.
    pub(crate) route: usize,
    /// Its path, which has no parameters.
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) objects: Vec<Py<PyAny>>,
    pub(crate) guards: Vec<Py<PyTuple>>,
    pub(crate) calls: Calls,
    /// `scope["router"]`: that of the outermost application.
    pub(crate) router: Py<PyAny>,
    /// What is left in `scope["fastapi"]` on the way to the mount.
    pub(crate) fastapi: Option<Py<PyDict>>,
}

/// The application around a mounted one, as far as a request meets it.
pub(crate) struct Outer {
    pub(crate) calls: Arc<Calls>,
    /// Where the other one is mounted.
    pub(crate) path: String,
    /// The other one.
    pub(crate) mounted: Py<PyAny>,
    pub(crate) router: Py<PyAny>,
    pub(crate) fastapi: Option<Py<PyDict>>,
    /// The one around this.
    pub(crate) outer: Option<Arc<Outer>>,
}

/// What a request of a mounted application finds in its scope.
pub(crate) struct Roots {
    /// The root path of the outermost application.
    app_root_path: Box<str>,
    /// That of the mounted one.
    pub(crate) root_path: Box<str>,
}

impl Mounted {
    /// The number of the mount and the application, compiled. `calls`: of the one around, `outer`: around that one.
    pub(crate) fn compile(
        self,
        py: Python<'_>,
        calls: &Arc<Calls>,
        limiter: Option<&Py<PyAny>>,
        outer: Option<&Arc<Outer>>,
    ) -> PyResult<(usize, Arc<Application>)> {
        let around = Outer {
            calls: Arc::clone(calls),
            path: self.path,
            mounted: self.calls.app.clone_ref(py),
            router: self.router,
            fastapi: self.fastapi,
            outer: outer.cloned(),
        };
        let Self { route, description, objects, guards, calls, .. } = self;
        let inspected = Inspected { description, objects, guards, calls };
        Ok((route, Arc::new(Application::new(py, inspected, limiter, Some(Arc::new(around)))?)))
    }
}

impl Roots {
    /// For a request that comes to the application around `mounted` by `path`. `around`: what it finds there, if that one
    /// is mounted, too.
    pub(crate) fn of(mounted: &Application, path: &RequestPath<'_>, around: Option<Roots>) -> Self {
        let at = mounted.outer.as_ref().map_or("", |outer| &outer.path);
        let own = &mounted.root_path;
        Self {
            app_root_path: around.map_or_else(|| path.root_path.into(), |around| around.app_root_path),
            root_path: if own.is_empty() { format!("{}{at}", path.root_path).into() } else { own.as_str().into() },
        }
    }
}

impl Outer {
    /// Whether live middleware is around it or around what mounts it.
    pub(crate) fn is_spliced(&self) -> bool {
        self.calls.spliced || self.outer.as_ref().is_some_and(|outer| outer.is_spliced())
    }

    /// Leaves in the scope what it and the mount leave there.
    pub(crate) fn complete(
        &self,
        scope: &Bound<'_, PyDict>,
        under: Under,
        middleware_stack: &Py<PyAny>,
        roots: &Roots,
    ) -> PyResult<()> {
        let py = scope.py();
        let mut under = under;
        if let Some(outer) = &self.outer {
            outer.complete(scope, under, middleware_stack, roots)?;
            under = Under::Server;
        }
        if under == Under::Server {
            scope.set_item(intern!(py, "app"), &self.calls.app)?;
        }
        if under != Under::Stack {
            scope.set_item(intern!(py, "starlette.exception_handlers"), self.calls.handlers(py)?)?;
        }
        scope.set_item(intern!(py, "fastapi_middleware_astack"), middleware_stack)?;
        scope.set_item(intern!(py, "router"), &self.router)?;
        if let Some(fastapi) = &self.fastapi {
            scope.set_item(intern!(py, "fastapi"), fastapi.bind(py).copy()?)?;
        }
        scope.set_item(intern!(py, "path_params"), PyDict::new(py))?;
        scope.set_item(intern!(py, "app_root_path"), &*roots.app_root_path)?;
        scope.set_item(intern!(py, "root_path"), &*roots.root_path)?;
        scope.set_item(intern!(py, "endpoint"), &self.mounted)
    }
}

impl Execution {
    /// What errors tell of the endpoint: function, file, line, and the route's path.
    pub(crate) fn endpoint_context<'py>(&self, py: Python<'py>, route: Route<'_>) -> PyResult<Bound<'py, PyAny>> {
        self.face.endpoint_context(py, route, self.incoming.roots.as_ref())
    }

    /// What becomes of an exception in the layers of an application, and of those around it: the same in each of them. The
    /// outermost layers may be live ones.
    pub(crate) async fn pass_outward(&mut self, route: Route<'_>, outcome: PyResult<()>) -> PyResult<()> {
        let mut outcome = outcome;
        let mut calls = &route.application.calls;
        let mut next = route.application.outer.as_ref();
        loop {
            let under = if next.is_none() { self.under } else { Under::Server };
            if under == Under::Stack {
                return outcome;
            }
            outcome = self.handle_around_router(route, calls, outcome).await;
            if under == Under::Dispatch {
                return outcome;
            }
            if next.is_none() {
                outcome = self.leave_limit(route, Level::Application, outcome).await;
            }
            outcome = self.answer_failure(route, calls, outcome, next.is_none()).await;
            let Some(outer) = next.filter(|_| outcome.is_err()) else {
                return outcome;
            };
            (calls, next) = (&outer.calls, outer.outer.as_ref());
        }
    }
}
