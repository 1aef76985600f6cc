//! A compiled application: the plan, and the Python objects that it names by numbers.
//!
//! Made by the inspection through `Worker.set_native`, asked by the worker for each request. Requests that run keep the
//! one they began with.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use andon_plan::{Captures, Found, Miss, NativeRoute, Object, Plan, RequestPath, Text, Why};
use pyo3::{
    exceptions::PyValueError,
    intern,
    prelude::*,
    types::{PyString, PyTuple},
};

use super::{
    anyio::Anyio,
    binding::{Binding, guards_of},
    calls::Calls,
    chain::Chain,
    framework::Framework,
    guards::Guards,
    mounted::{Mounted, Outer, Roots},
    refusals::Refusals,
};

/// A compiled application.
pub(crate) struct Application {
    plan: Plan,
    objects: Box<[Py<PyAny>]>,
    /// Keywords and aliases, interned.
    texts: Box<[Py<PyString>]>,
    routes: Box<[RouteObjects]>,
    refusals: Refusals,
    guards: Guards,
    /// Those for requests that no route takes.
    missed_guards: Guards,
    /// A guard has failed, which was told.
    changed: AtomicBool,
    /// `Response.__call__`, which this crate can do itself.
    response_call: Py<PyAny>,
    pub(crate) framework: Framework,
    pub(crate) calls: Arc<Calls>,
    /// The applications that it mounts, by the numbers of their routes.
    mounts: Box<[(usize, Arc<Application>)]>,
    /// The application that mounts it.
    pub(crate) outer: Option<Arc<Outer>>,
    /// Live middleware is around it, and may look into the scope of any request.
    is_under_middleware: bool,
    pub(crate) anyio: Anyio,
    /// The application's own root path, which counts before the server's; empty: it has none.
    pub(crate) root_path: String,
}

/// What a native route has of Python beside its program.
pub(crate) struct RouteObjects {
    pub(super) guards: Guards,
    pub(crate) calls: Box<[CallObjects]>,
    /// All of it can run on one thread: it has `def` functions and generators only.
    pub(crate) threaded: bool,
    /// Likewise but for the endpoint, a coroutine function that cannot suspend.
    pub(crate) offloadable: bool,
    pub(crate) chain: Chain,
    /// The path as errors tell it: without convertors.
    pub(crate) path: String,
}

/// What a call has of Python beside its arguments.
pub(crate) struct CallObjects {
    /// The callable; for generators what makes a context manager of them.
    pub(crate) function: Py<PyAny>,
    pub(crate) keywords: Py<PyTuple>,
    /// It is a coroutine of the framework that runs anywhere, without an event loop.
    pub(crate) never_waits: bool,
    /// Its parameters are validated by pydantic alone.
    pub(crate) plain_parameters: bool,
    /// The scopes of `SecurityScopes`.
    pub(crate) scopes: Box<[Text]>,
}

/// What the inspection has found. See `python/andon/native/inspection.py`.
pub(crate) struct Inspected {
    pub(crate) description: String,
    pub(crate) objects: Vec<Py<PyAny>>,
    pub(crate) guards: Vec<Py<PyTuple>>,
    pub(crate) calls: Calls,
}

/// A native route that takes a request.
pub(crate) struct Taken {
    pub(crate) application: Arc<Application>,
    pub(crate) number: usize,
    /// If the application is a mounted one.
    pub(crate) roots: Option<Roots>,
}

impl Taken {
    /// The path by which it was found. `server`: the server's root path.
    pub(crate) fn path<'a>(&'a self, whole: &'a str, server: &'a str) -> RequestPath<'a> {
        match &self.roots {
            Some(roots) => RequestPath { whole, root_path: &roots.root_path },
            None => self.application.path(whole, server),
        }
    }
}

/// What is to serve a request.
pub(crate) enum Served {
    /// A native route.
    Natively(Taken),
    /// This response, which is the same for all requests that no route takes.
    Refused(Py<PyAny>),
    /// The application, for this reason.
    ByApplication(String),
}

impl Application {
    /// Compiles. `ValueError` with the reason where that cannot be done. `limiter`: see [`Anyio::find`]. `outer`: what
    /// mounts it.
    pub(crate) fn new(
        py: Python<'_>,
        inspected: Inspected,
        limiter: Option<&Py<PyAny>>,
        outer: Option<Arc<Outer>>,
    ) -> PyResult<Self> {
        let Inspected { description, objects, guards, mut calls } = inspected;
        let mounts = std::mem::take(&mut calls.mounts);
        let calls = Arc::new(calls);
        let compile = |mounted: Mounted| mounted.compile(py, &calls, limiter, outer.as_ref());
        let mounts = mounts.into_iter().map(compile).collect::<PyResult<_>>()?;
        let plan = read_plan(&description, objects.len())?;
        let framework = Framework::find(py)?;
        let texts: Box<[_]> = plan.texts().iter().map(|text| PyString::intern(py, text).unbind()).collect();
        let binding = Binding { py, objects: &objects, plan_texts: plan.texts(), texts: &texts, framework: &framework };
        Ok(Self {
            routes: plan.natives().iter().map(|route| binding.route(route)).collect::<PyResult<_>>()?,
            refusals: Refusals::new(py, &framework, plan.allows())?,
            guards: Guards::new(guards.iter().map(|guard| guard.bind(py)))?,
            missed_guards: guards_of(py, &objects, plan.missed_guards())?,
            changed: AtomicBool::new(false),
            response_call: framework.response.bind(py).getattr(intern!(py, "__call__"))?.unbind(),
            anyio: Anyio::find(py, limiter.map(|limiter| limiter.clone_ref(py))),
            root_path: own_root_path(py, &calls)?,
            is_under_middleware: calls.spliced || outer.as_ref().is_some_and(|outer| outer.is_spliced()),
            objects: objects.into(),
            plan,
            texts,
            framework,
            calls,
            mounts,
            outer,
        })
    }

    /// The path of a request, decoded, and the root path that counts for it. `server`: the server's.
    pub(crate) fn path<'a>(&'a self, whole: &'a str, server: &'a str) -> RequestPath<'a> {
        RequestPath { whole, root_path: if self.root_path.is_empty() { server } else { &self.root_path } }
    }

    /// Who serves the request of this method and path. `server`: the server's root path.
    pub(crate) fn find(
        self: &Arc<Self>,
        py: Python<'_>,
        method: &str,
        (whole, server): (&str, &str),
        captures: &mut Captures,
    ) -> Served {
        self.find_below(py, (method, &self.path(whole, server)), None, captures)
    }

    /// Likewise, of what may be a mounted application, which has `roots`.
    fn find_below(
        self: &Arc<Self>,
        py: Python<'_>,
        (method, path): (&str, &RequestPath<'_>),
        roots: Option<Roots>,
        captures: &mut Captures,
    ) -> Served {
        if !self.is_current(py) {
            return changed();
        }
        let (served, guards) = match self.plan.find(method, path.routed(), captures) {
            Found::Native(number) => {
                let taken = Taken { application: Arc::clone(self), number, roots };
                (Served::Natively(taken), Some(&self.routes[number].guards))
            }
            Found::Application(Why::NoRoute) => (self.missed(py, path, roots, captures), Some(&self.missed_guards)),
            Found::Application(Why::Opaque(route)) if let Some(mounted) = self.mounted(route) => {
                let roots = Roots::of(mounted, path, roots);
                let root_path = roots.root_path.clone();
                let path = RequestPath { whole: path.whole, root_path: &root_path };
                return mounted.find_below(py, (method, &path), Some(roots), captures);
            }
            Found::Application(why) => (Served::ByApplication(self.plan.reason(why)), None),
        };
        if guards.is_some_and(|guards| !guards.hold(py)) {
            self.tell_change(py);
            return changed();
        }
        served
    }

    fn mounted(&self, route: usize) -> Option<&Arc<Application>> {
        self.mounts.iter().find(|(number, _)| *number == route).map(|(_, mounted)| mounted)
    }

    /// What becomes of a request that no route takes.
    fn missed(
        self: &Arc<Self>,
        py: Python<'_>,
        path: &RequestPath<'_>,
        roots: Option<Roots>,
        captures: &mut Captures,
    ) -> Served {
        let miss = self.plan.missed(path, captures);
        let number = match miss {
            Miss::NotFound(number) | Miss::Redirect(number) | Miss::NotAllowed { native: number, .. } => number,
            Miss::Application(why) => return Served::ByApplication(self.plan.reason(why)),
        };
        let is_free = !self.is_under_middleware && self.route(number).limits.is_empty();
        match self.refusals.answer(py, &self.framework, &self.calls, miss).filter(|_| is_free) {
            Some(response) => Served::Refused(response),
            None => Served::Natively(Taken { application: Arc::clone(self), number, roots }),
        }
    }

    /// Whether the application is as it was when it was inspected; otherwise that is told.
    pub(crate) fn is_current(&self, py: Python<'_>) -> bool {
        let current = self.guards.hold(py);
        if current {
            self.changed.store(false, Ordering::Relaxed);
        } else {
            self.tell_change(py);
        }
        current
    }

    /// Whether calls on threads are bounded by Andon alone.
    pub(crate) fn has_default_limiter(&self, py: Python<'_>) -> bool {
        self.anyio.has_default_limiter(py)
    }

    fn tell_change(&self, py: Python<'_>) {
        if self.changed.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.calls.on_change.bind(py).call0() {
            error.write_unraisable(py, None);
        }
    }

    /// Whether it is a `Response` that is sent as its base class does it.
    pub(crate) fn is_plain_response(&self, response: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = response.py();
        if !response.is_instance(self.framework.response.bind(py))? {
            return Ok(false);
        }
        Ok(response.get_type().getattr(intern!(py, "__call__"))?.is(&self.response_call))
    }

    pub(crate) fn route(&self, number: usize) -> &NativeRoute {
        self.plan.native(number)
    }

    pub(crate) fn route_objects(&self, number: usize) -> &RouteObjects {
        &self.routes[number]
    }

    pub(crate) fn object<'a, 'py>(&'a self, py: Python<'py>, object: Object) -> &'a Bound<'py, PyAny> {
        self.objects[object as usize].bind(py)
    }

    pub(crate) fn text<'a, 'py>(&'a self, py: Python<'py>, text: Text) -> &'a Bound<'py, PyString> {
        self.texts[text as usize].bind(py)
    }
}

/// The plan of a description, to which there are so many objects.
fn read_plan(description: &str, objects: usize) -> PyResult<Plan> {
    let plan = Plan::from_json(description).map_err(|error| PyValueError::new_err(error.to_string()))?;
    if objects < plan.objects() {
        return Err(PyValueError::new_err("the description names more objects than there are"));
    }
    Ok(plan)
}

/// The application's own root path; under live middleware the scope has it already.
fn own_root_path(py: Python<'_>, calls: &Calls) -> PyResult<String> {
    let root_path = calls.app.bind(py).getattr(intern!(py, "root_path"))?;
    if calls.spliced { Ok(String::new()) } else { root_path.extract() }
}

fn changed() -> Served {
    Served::ByApplication("the application has changed".to_owned())
}
