//! Generators are opened, and closed in the end: those of the function's scope before the answer is sent, those of the
//! request's after it, each in the opposite order of their opening, as `contextlib.AsyncExitStack` does.
//!
//! The exit stacks that the framework leaves in the scope are not used for generators here, but what the application has
//! put on them is called when its turn comes: what is on them is moved behind the generator that is opened next.

use andon_plan::{CallKind, Stream};
use pyo3::{exceptions::PyException, intern, prelude::*};

use super::{
    execution::{Execution, Route},
    face::Face,
    generators::manager_of,
    interpreter::with_traceback,
    scope::{exception_triple, is_in_use},
    stepping::Place,
    threads::Way,
};

/// What is to be called in the end.
enum Exit {
    /// An asynchronous generator, or a context manager of what is used like one.
    AsyncGenerator(Py<PyAny>),
    /// The context manager of a generator, which is closed on a thread.
    Generator(Py<PyAny>),
    /// An asynchronous context manager of the framework, or a stack on which the application has put something.
    Manager(Py<PyAny>),
    /// A cancel scope.
    CancelScope(Py<PyAny>),
}

/// What is to be called in the end, in the order of opening.
#[derive(Default)]
pub(crate) struct Exits {
    function: Vec<Exit>,
    request: Vec<Exit>,
    shield: Shield,
}

/// The cancel scope with which the framework shields the ends of asynchronous generators from scopes around the request.
/// It is opened before the first of them.
#[derive(Default)]
enum Shield {
    #[default]
    Undecided,
    /// There was no scope around the request.
    Needless,
    Scope(Py<PyAny>),
}

impl Exits {
    /// Whether something is to be closed after the answer.
    pub(crate) fn follow_answer(&self) -> bool {
        !self.request.is_empty()
    }
}

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    Function,
    Request,
}

const SWALLOWED: &str = "Response not awaited. There's a high chance that the application code is raising an \
exception and a dependency with yield has a block with a bare except, or a block with except Exception, and is not \
raising the exception again. Read more about it in the docs: \
https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/#dependencies-with-yield-and-except";

impl Execution {
    /// Opens a dependency that is a generator (`_solve_generator`); what it yields. `opened`: the context manager of a
    /// generator, or what the function of an asynchronous one has returned.
    pub(crate) async fn open(&mut self, route: Route<'_>, number: u16, opened: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let call = &route.native.program.calls[usize::from(number)];
        let lifetime = if call.function_scope { Lifetime::Function } else { Lifetime::Request };
        let asynchronous = call.kind == CallKind::AsyncGenerator;
        let scoped = Python::attach(|py| {
            let scoped = self.in_scope(py, route, asynchronous, &opened)?;
            self.held_in_turn(py, route, number, (&opened, scoped))
        })?;
        let (value, exit) = if let Some(manager) = scoped {
            (self.enter(&manager).await?, Exit::Manager(manager))
        } else if asynchronous {
            let (value, opened) = self.begin(route, opened).await?;
            (value, Exit::AsyncGenerator(opened))
        } else {
            let entered = Python::attach(|py| opened.clone_ref(py));
            let enter = move |py: Python<'_>| entered.call_method0(py, intern!(py, "__enter__"));
            (self.on_thread(route, route.way(number), enter).await?, Exit::Generator(opened))
        };
        self.push_exit(lifetime, exit)?;
        Ok(value)
    }

    pub(super) async fn enter(&self, manager: &Py<PyAny>) -> PyResult<Py<PyAny>> {
        let entering = Python::attach(|py| manager.call_method0(py, intern!(py, "__aenter__")))?;
        self.baton.wait_for(entering, None).await
    }

    /// The framework's own context manager, for where cancel scopes are around; `None`: there are none. Releases that shield
    /// nothing have the bare one of an asynchronous generator always, and do not look at scopes after it.
    fn in_scope(
        &mut self,
        py: Python<'_>,
        route: Route<'_>,
        asynchronous: bool,
        opened: &Py<PyAny>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let framework = &route.application.framework;
        // Events are gathered within a scope, from before the function's scope is left until after the answer.
        let to_be_scoped = route.native.response.stream == Some(Stream::Events);
        let scoped =
            || self.baton.place() == Place::Loop && (to_be_scoped || route.application.anyio.scopes_are_in_use(py));
        if !asynchronous {
            let scoped = scoped();
            return scoped.then(|| framework.context_manager_in_threadpool.call1(py, (opened,))).transpose();
        }
        let Some(shielded_exit) = &framework.shielded_exit else {
            return manager_of(py, route, opened).map(Some);
        };
        let scope = match &self.exits.shield {
            Shield::Scope(scope) => scope.clone_ref(py),
            Shield::Undecided if scoped() => self.open_shield(py, route)?,
            _ => {
                self.exits.shield = Shield::Needless;
                return Ok(None);
            }
        };
        shielded_exit.call1(py, (manager_of(py, route, opened)?, scope)).map(Some)
    }

    fn open_shield(&mut self, py: Python<'_>, route: Route<'_>) -> PyResult<Py<PyAny>> {
        let scope = route.application.framework.cancel_scope.call0(py)?;
        scope.call_method0(py, intern!(py, "__enter__"))?;
        self.push_exit(Lifetime::Request, Exit::CancelScope(scope.clone_ref(py)))?;
        self.exits.shield = Shield::Scope(scope.clone_ref(py));
        Ok(scope)
    }

    fn push_exit(&mut self, lifetime: Lifetime, exit: Exit) -> PyResult<()> {
        let earlier = Python::attach(|py| self.take_stack(py, lifetime))?;
        let exits = self.exits_of(lifetime);
        exits.extend(earlier.map(Exit::Manager));
        exits.push(exit);
        Ok(())
    }

    fn exits_of(&mut self, lifetime: Lifetime) -> &mut Vec<Exit> {
        match lifetime {
            Lifetime::Function => &mut self.exits.function,
            Lifetime::Request => &mut self.exits.request,
        }
    }

    /// What is on the framework's stack, as a stack of its own.
    fn take_stack(&self, py: Python<'_>, lifetime: Lifetime) -> PyResult<Option<Py<PyAny>>> {
        let Some(scope) = &self.scope else {
            return Ok(None);
        };
        let stack = match lifetime {
            Lifetime::Function => scope.stacks.function.bind(py),
            Lifetime::Request => scope.stacks.request.bind(py),
        };
        if !is_in_use(stack)? {
            return Ok(None);
        }
        stack.call_method0(intern!(py, "pop_all")).map(|stack| Some(stack.unbind()))
    }

    /// Leaves the function's scope. `Ok(None)`: an exception was swallowed, and there is nothing to send.
    pub(crate) async fn leave_function<T>(&mut self, route: Route<'_>, outcome: PyResult<T>) -> PyResult<Option<T>> {
        if self.exits.function.is_empty() && self.scope.is_none() {
            return outcome.map(Some);
        }
        let (value, error) = match outcome {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error)),
        };
        self.leave(route, Lifetime::Function, error).await.map_or(Ok(value), Err)
    }

    /// Leaves the request's scope.
    pub(crate) async fn leave_request(&mut self, route: Route<'_>, outcome: PyResult<()>) -> PyResult<()> {
        if self.exits.request.is_empty() && self.scope.is_none() {
            return outcome;
        }
        let failed = outcome.is_err();
        match self.leave(route, Lifetime::Request, outcome.err()).await {
            Some(error) => Err(error),
            None if failed => Err(Python::attach(|py| swallowed(py, route))),
            None => Ok(()),
        }
    }

    /// Closes what is to be closed; the exception that is there after it.
    async fn leave(&mut self, route: Route<'_>, lifetime: Lifetime, mut error: Option<PyErr>) -> Option<PyErr> {
        match Python::attach(|py| self.take_stack(py, lifetime)) {
            Ok(stack) => self.exits_of(lifetime).extend(stack.map(Exit::Manager)),
            Err(unexpected) => return Some(unexpected),
        }
        error = error.map(|error| Python::attach(|py| with_traceback(py, error)));
        let before = error.as_ref().map(|error| Python::attach(|py| error.clone_ref(py)));
        while let Some(exit) = self.exits_of(lifetime).pop() {
            let followed = matches!(self.exits_of(lifetime).last(), Some(Exit::Generator(_)));
            match self.close(route, (exit, followed), error.as_ref()).await {
                Ok(true) => error = None,
                Ok(false) => {}
                Err(raised) => error = Some(self.raised_at_exit(raised, error)),
            }
        }
        self.baton.end_visit().await;
        if let (Some(raised), Some(before)) = (&error, before)
            && self.baton.has_failed()
        {
            Python::attach(|py| set_context(py, raised, &before));
        }
        error
    }

    /// What an exit has raised, while `earlier` was there.
    fn raised_at_exit(&self, raised: PyErr, earlier: Option<PyErr>) -> PyErr {
        Python::attach(|py| {
            let raised = with_traceback(py, raised);
            match earlier {
                Some(earlier) if self.baton.has_failed() => {
                    set_context(py, &raised, &earlier);
                    raised
                }
                earlier => in_context(py, raised, earlier),
            }
        })
    }

    /// Closes one. True: it has swallowed the exception.
    async fn close(
        &mut self,
        route: Route<'_>,
        (exit, followed): (Exit, bool),
        error: Option<&PyErr>,
    ) -> PyResult<bool> {
        let awaited = matches!(exit, Exit::AsyncGenerator(_));
        let shielded = awaited || matches!(exit, Exit::Generator(_));
        if shielded {
            self.shield_exit(route, true)?;
        }
        let outcome = self.exit(route, (exit, followed), error).await;
        if shielded {
            self.shield_exit(route, false)?;
        }
        let swallows = outcome?;
        if awaited {
            self.checkpoint(route).await?;
        }
        if error.is_none() {
            return Ok(false);
        }
        Python::attach(|py| swallows.bind(py).is_truthy())
    }

    /// What the end of one has returned. `followed`: the next one is closed on a thread, too.
    async fn exit(
        &mut self,
        route: Route<'_>,
        (exit, followed): (Exit, bool),
        error: Option<&PyErr>,
    ) -> PyResult<Py<PyAny>> {
        if !matches!(exit, Exit::Generator(_)) {
            self.baton.end_visit().await;
        }
        match exit {
            Exit::AsyncGenerator(opened) => self.end(route, &opened, error).await,
            Exit::Manager(manager) => self.close_awaited(&manager, error).await,
            Exit::CancelScope(scope) => Python::attach(|py| {
                let arguments = exception_triple(py, error)?;
                Ok(scope.bind(py).call_method1(intern!(py, "__exit__"), arguments)?.unbind())
            }),
            Exit::Generator(manager) => {
                if error.is_some_and(|error| is_left_open(route, error)) {
                    // Nobody else has it, so it is collected here, where the framework forgets it, too.
                    self.baton.to_loop().await;
                    return Ok(Python::attach(|py| {
                        drop(manager);
                        py.None()
                    }));
                }
                let error = error.map(|error| Python::attach(|py| error.clone_ref(py)));
                let exit = move |py: Python<'_>| {
                    let arguments = exception_triple(py, error.as_ref())?;
                    Ok(manager.bind(py).call_method1(intern!(py, "__exit__"), arguments)?.unbind())
                };
                self.on_thread(route, Way { urgent: true, followed }, exit).await
            }
        }
    }

    /// Shields the ends of generators from what ends the Task inside a middleware, as the framework does.
    fn shield_exit(&self, route: Route<'_>, begins: bool) -> PyResult<()> {
        let Face::Asgi(asgi) = &self.face else { return Ok(()) };
        if !asgi.tell_exit(begins) {
            return Ok(());
        }
        Python::attach(|py| {
            if self.baton.place() == Place::Loop && route.application.anyio.scopes_are_in_use(py) {
                route.application.framework.shield_exit.call1(py, (begins,))?;
            }
            Ok(())
        })
    }

    /// Awaits `__aexit__`. It runs as if in an `except` clause, for it may ask for the exception.
    pub(super) async fn close_awaited(&self, manager: &Py<PyAny>, error: Option<&PyErr>) -> PyResult<Py<PyAny>> {
        let exiting = Python::attach(|py| {
            let arguments = exception_triple(py, error)?;
            PyResult::Ok(manager.bind(py).call_method1(intern!(py, "__aexit__"), arguments)?.unbind())
        })?;
        self.baton.wait_for(exiting, error).await
    }

    /// Where anyio's cancel scopes are in use, one that was cancelled takes effect between two exits.
    async fn checkpoint(&self, route: Route<'_>) -> PyResult<()> {
        if !Python::attach(|py| route.application.anyio.scopes_are_in_use(py)) {
            return Ok(());
        }
        let checkpoint = Python::attach(|py| route.application.framework.checkpoint_if_cancelled.call0(py))?;
        self.baton.wait_for(checkpoint, None).await.map(drop)
    }

    /// Closes what the application has put on the stack that is outermost.
    pub(crate) async fn close_middleware_stack(&mut self, outcome: PyResult<()>) -> PyResult<()> {
        let Some(scope) = &self.scope else {
            return outcome;
        };
        let stack = Python::attach(|py| {
            let stack = scope.stacks.middleware.bind(py);
            PyResult::Ok(if is_in_use(stack)? { Some(stack.clone().unbind()) } else { None })
        })?;
        let Some(stack) = stack else {
            return outcome;
        };
        let error = outcome.err();
        match (self.close_awaited(&stack, error.as_ref()).await, error) {
            (Ok(swallows), Some(error)) if !Python::attach(|py| swallows.bind(py).is_truthy())? => Err(error),
            (outcome, _) => outcome.map(drop),
        }
    }
}

/// Whether this release does not close generators on threads after such an exception.
fn is_left_open(route: Route<'_>, error: &PyErr) -> bool {
    !route.application.framework.closes_after_any && Python::attach(|py| !error.is_instance_of::<PyException>(py))
}

/// The exception that was raised while another one was handled.
pub(super) fn in_context(py: Python<'_>, raised: PyErr, earlier: Option<PyErr>) -> PyErr {
    if let Some(earlier) = earlier {
        let value = raised.value(py);
        let context = value.getattr(intern!(py, "__context__"));
        if context.is_ok_and(|context| context.is_none()) {
            set_context(py, &raised, &earlier);
        }
    }
    raised
}

/// Says that it was raised while `handled` was handled, if that is another one.
fn set_context(py: Python<'_>, raised: &PyErr, handled: &PyErr) {
    if !raised.value(py).is(handled.value(py)) {
        // It is for people who read tracebacks only.
        let _ = raised.value(py).setattr(intern!(py, "__context__"), handled.value(py));
    }
}

fn swallowed(py: Python<'_>, route: Route<'_>) -> PyErr {
    match route.application.framework.fastapi_error.bind(py).call1((SWALLOWED,)) {
        Ok(error) => PyErr::from_value(error),
        Err(unexpected) => unexpected,
    }
}
