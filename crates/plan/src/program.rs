//! What is done for a request of one route, as a list of operations: made by [`crate::Plan`], run by the executor with
//! nothing but a counter and arrays.
//!
//! - **Registers** hold keyword arguments. Each call has a range of them, in the order in which Python would have put
//!   its keywords into a dictionary; a result or a parameter goes straight to its register, and a call passes its range
//!   with its `keywords`. All registers of a call that is made are filled.
//! - **Errors** of parameters go into one list. A call is not made if an operation from its `begin` on has added to
//!   the list: so the executor need only remember which operation was the last to do so. The others are still made. With
//!   any error the endpoint is not called.
//! - **Results** that another call may share are kept under their `shared` number.
//!
//! This is `fastapi.dependencies.utils.solve_dependencies`: sub-dependencies first and in order, solved again even where
//! their parent's result is there already; then path, query, header, cookie and body parameters; then what the framework
//! injects; then the call.

use std::ops::Range;

use crate::{Absent, CallKind, FormModelStep, Names, Object, Source, Text};

/// One operation. Calls are named by their number in [`Program::calls`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Finds and validates the parameters of this call.
    Parameters(u16),
    /// Has the framework find and validate the parameters that this call has in a form.
    Form(u16),
    /// Puts objects of the framework into registers of this call.
    Inject(u16),
    /// Calls, or takes a result that is there, unless there were errors since its `begin`.
    Call(u16),
    /// Ends with validation errors, or calls the last of the calls. Always the last operation.
    Endpoint,
}

/// The operations of one route.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// To be done in this order.
    pub operations: Box<[Operation]>,
    /// What is called; the last one is the endpoint.
    pub calls: Box<[Call]>,
    /// How many registers there are.
    pub registers: u16,
    /// How many results are kept to be shared.
    pub shared: u16,
    /// Query parameters asked for, to gather with; not those of parameter models.
    pub query: Names,
    /// Header fields asked for, in lower case; likewise.
    pub headers: Names,
    /// Cookies asked for; likewise.
    pub cookies: Names,
    /// What else must be at hand.
    pub needs: Needs,
    /// Every call is a plain `def`: all can be done on a thread, one after the other, without the event loop.
    pub all_functions: bool,
    /// Some call may suspend on the event loop: a coroutine that can, or an asynchronous generator.
    pub can_suspend: bool,
}

/// What a program uses beyond its parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// A `Request`: somebody asks for it or for the `HTTPConnection`.
    pub request: bool,
    /// A `Response` whose headers and status count.
    pub response: bool,
    /// `BackgroundTasks`.
    pub background_tasks: bool,
    /// Exit stacks: some dependency is a generator.
    pub generators: bool,
    /// The framework's own `QueryParams`, `Headers` or cookies: there are parameter models.
    pub models: bool,
}

/// A dependency or the endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The callable.
    pub call: Object,
    /// How it is called.
    pub kind: CallKind,
    /// A coroutine that may suspend.
    pub suspends: bool,
    /// What gives it the semaphore that it waits for.
    pub concurrency: Option<Object>,
    /// For generators: closed with the function, not with the request.
    pub function_scope: bool,
    /// Number of the first operation that belongs to it or to what it depends on.
    pub begin: u16,
    /// The registers of its arguments.
    pub arguments: Range<u16>,
    /// Their keywords.
    pub keywords: Box<[Text]>,
    /// Where its result goes; `None`: nobody wants it.
    pub result: Option<u16>,
    /// For a result that equal calls may share.
    pub shared: Option<Shared>,
    /// Its parameters.
    pub steps: Box<[Step]>,
    /// Its parameters from a form.
    pub form: Option<FormStep>,
    /// What the framework gives it.
    pub injections: Box<[Injection]>,
}

/// A result that equal calls of one request may share: it is put there if there is none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared {
    /// Where it is kept.
    pub number: u16,
    /// It is taken if it is there, instead of a call.
    pub take: bool,
}

/// The parameters of a call that the framework finds in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormStep {
    /// The framework's own fields.
    pub fields: Object,
    /// See [`crate::FormFields`].
    pub embed: bool,
    /// Their keywords, and where their values go.
    pub values: Box<[(Text, u16)]>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where it comes from.
    pub source: Source,
    /// One alias, one value, not of the body, no model: the common case.
    pub simple: bool,
    /// See [`crate::Parameter`] for these.
    pub list: bool,
    /// It must be there.
    pub required: bool,
    /// An empty value counts as none.
    pub empty_is_absent: bool,
    /// The default is validated as well.
    pub validate_default: bool,
    /// What stands in for it where it is not there.
    pub absent: Absent,
    /// Where its value goes.
    pub register: u16,
    /// Never empty. The first that is there counts, else the first.
    pub aliases: Box<[Alias]>,
    /// The bound validator.
    pub validate: Object,
    /// The framework's own field.
    pub field: Object,
    /// How the fields of a parameter model are gathered.
    pub model: Option<Object>,
    /// How one of a form is.
    pub form: Option<FormModelStep>,
}

/// A name under which a request may have a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// As errors tell it.
    pub text: Text,
    /// Its number among the captures of the path, or in [`Program::query`], `headers` or `cookies`; `None` for the
    /// body, for models, and for what is not in the path.
    pub number: Option<u16>,
}

/// An object of the framework and the register it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// Where it goes.
    pub register: u16,
    /// What it is.
    pub what: Injected,
}

/// What the framework injects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Injected {
    /// `HTTPConnection`, which is the request.
    Connection,
    /// `Request`.
    Request,
    /// `BackgroundTasks`, one for the whole request.
    BackgroundTasks,
    /// `Response`, one for the whole request.
    Response,
    /// `SecurityScopes` of these scopes.
    SecurityScopes(Box<[Text]>),
}

impl Program {
    /// The endpoint's call.
    pub fn endpoint(&self) -> &Call {
        // Every program has at least this one.
        &self.calls[self.calls.len() - 1]
    }
}
