//! One request on its native route: the state of its code, and the order in which its parts are done.
//!
//! This file follows `fastapi.routing.request_response` and `get_request_handler`; each part is in a file of its own:
//!
//! ```text
//!   body         the body is read                             form           what is in a form
//!   parameters   found, validated, put into registers          validation   their errors
//!   injection    objects of the framework, likewise            scope        Request and the scope behind it
//!   calling      dependencies and the endpoint are called      threads      on a thread, where they are `def`
//!   chain        which of those calls are neighbours           visit        and made in one visit to a thread
//!   concurrency  in their turn, where only so many may run
//!   result       what the endpoint returned becomes an answer
//!   streams      what a generator as endpoint yields becomes one, its items as in   items
//!   sending      the answer goes out, background tasks run
//!   exits        generators are closed                        limits         of the body's size
//!   generators   the asynchronous ones
//!   failing      exceptions become answers, or go on to the application's own stack
//! ```
//! The code is one future of Rust ([`super::stepping`]). It is never run twice, and once it has begun the request is not
//! given to the application any more.

use std::sync::Arc;

use andon_plan::{NativeRoute, Operation};
use pyo3::{exceptions::PyUnboundLocalError, prelude::*, types::PyList};

use super::{
    application::{Application, RouteObjects},
    body::ReadBody,
    exits::Exits,
    face::Face,
    incoming::Incoming,
    interpreter::Value,
    limits::Limiter,
    result::Answer,
    scope::Scope,
    stepping::{Baton, Drive},
    threads::Way,
};

/// A native route with all that belongs to it.
#[derive(Clone, Copy)]
pub(crate) struct Route<'a> {
    pub(crate) number: usize,
    pub(crate) application: &'a Arc<Application>,
    pub(crate) native: &'a NativeRoute,
    pub(crate) objects: &'a RouteObjects,
}

impl<'a> Route<'a> {
    pub(crate) fn of(application: &'a Arc<Application>, number: usize) -> Self {
        let (native, objects) = (application.route(number), application.route_objects(number));
        Self { number, application, native, objects }
    }

    /// How the call of this number comes to a thread.
    pub(crate) fn way(&self, number: u16) -> Way {
        Way { urgent: false, followed: self.objects.chain.followed[usize::from(number)] }
    }
}

/// What is around a native route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Under {
    /// The server: all of the application's stack is done here.
    Server,
    /// A middleware of the kind that is done here, too: so is the `ExceptionMiddleware` inside it.
    Dispatch,
    /// The live stack, down to the `ExceptionMiddleware`.
    Stack,
}

/// The state of one request.
pub(crate) struct Execution {
    pub(crate) under: Under,
    pub(crate) face: Face,
    pub(crate) baton: Arc<Baton>,
    pub(crate) incoming: Incoming,
    pub(crate) body: ReadBody,
    pub(crate) registers: Box<[Value]>,
    /// Results that several calls may share.
    pub(crate) shared: Box<[Value]>,
    pub(crate) errors: Errors,
    /// Built when somebody asks for it.
    pub(crate) scope: Option<Scope>,
    /// The `Response` that the framework injects.
    pub(crate) response: Value,
    /// The `BackgroundTasks` that the framework injects.
    pub(crate) background: Value,
    pub(crate) exits: Exits,
    /// Keeps the limit of the body's size, where there is one that could be exceeded or somebody looks at the scope.
    pub(crate) limiter: Option<Limiter>,
}

/// Errors in what the client sent.
#[derive(Default)]
pub(crate) struct Errors {
    pub(crate) list: Option<Py<PyList>>,
    /// The operation that has added to them last.
    pub(crate) last: usize,
}

impl Execution {
    pub(crate) fn new(native: &NativeRoute, under: Under, face: Face, incoming: Incoming) -> Self {
        let empty = |count: u16| (0..count).map(|_| None).collect();
        Self {
            under,
            face,
            baton: Arc::default(),
            incoming,
            body: ReadBody::default(),
            registers: empty(native.program.registers),
            shared: empty(native.program.shared),
            errors: Errors::default(),
            scope: None,
            response: None,
            background: None,
            exits: Exits::default(),
            limiter: None,
        }
    }

    /// The code of this request on the route of this number, to be stepped.
    pub(crate) fn into_drive(mut self, application: Arc<Application>, number: usize) -> Drive {
        let baton = Arc::clone(&self.baton);
        Drive::new(baton, async move {
            let route = Route::of(&application, number);
            let outcome = self.serve(route).await;
            self.settle(route, outcome).await
        })
    }

    /// From the body to what is done after the answer, as `request_response` has it.
    async fn serve(&mut self, route: Route<'_>) -> PyResult<()> {
        if self.incoming.limited {
            Python::attach(|py| self.enter_limits(py, route))?;
        }
        if self.under != Under::Server {
            // Middleware looks into the scope, too.
            Python::attach(|py| self.scope(py, route).map(drop))?;
        }
        let produced = self.produce(route).await;
        self.baton.end_visit().await;
        let produced = self.leave_function(route, produced).await;
        // The framework's own code lets go of it last: what a generator that was left unfinished has yet to do comes
        // after the ends of dependencies.
        let kept = produced.as_ref().ok().and_then(Option::as_ref).and_then(Answer::object);
        let sent = match produced {
            Ok(Some(answer)) => self.send(route, answer).await,
            // What Python itself says to that.
            Ok(None) => Err(PyUnboundLocalError::new_err(
                "cannot access local variable 'response' where it is not associated with a value",
            )),
            Err(error) => Err(error),
        };
        let left = self.leave_request(route, sent).await;
        drop(kept);
        left
    }

    /// From the body to the answer, as `get_request_handler` has it.
    async fn produce(&mut self, route: Route<'_>) -> PyResult<Answer> {
        if let Some(body) = &route.native.body {
            self.read_body(route, body).await?;
        }
        for (position, operation) in route.native.program.operations.iter().enumerate() {
            if !route.objects.chain.stays[position] {
                self.baton.end_visit().await;
            }
            match *operation {
                Operation::Parameters(call) => Python::attach(|py| self.parameters(py, route, call, position))?,
                Operation::Form(call) => self.form_parameters(route, call, position).await?,
                Operation::Inject(call) => Python::attach(|py| self.inject(py, route, call))?,
                Operation::Call(call) => self.dependency(route, call).await?,
                Operation::Endpoint => {}
            }
        }
        if self.errors.list.is_some() {
            self.baton.end_visit().await;
            return Err(Python::attach(|py| self.request_validation_error(py, route)));
        }
        self.endpoint(route).await
    }
}
