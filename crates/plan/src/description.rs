//! What the inspection of an application says of its routes: the input from which a plan is compiled.
//!
//! It is made in Python (`python/andon/native/`), travels as JSON, and names Python objects by their number in a table
//! that travels beside it, so that this crate knows nothing of CPython.
//!
//! Whatever is not understood is described as opaque or as a barrier, never guessed at.

use serde::{Deserialize, Serialize};

use crate::{BodyLimit, FormModel};

/// The number of a Python object in the table that travels with the description.
pub type Object = u32;

/// An application's routes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// In the order in which the framework tries them, included routers flattened.
    pub routes: Vec<Route>,
    /// What becomes of a request that no route takes; `None`: only the application knows.
    #[serde(default)]
    pub missed: Option<Missed>,
}

/// What a router does with a request that no route takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missed {
    /// Raises `HTTPException(404)`, as `Router.not_found` does.
    pub not_found: Native,
    /// Before that, the path is tried with a slash more or less; if a route takes it, this answers. `None`: it is not tried.
    pub redirect: Option<Native>,
    /// A list of what must be as it was when no route takes a request.
    #[serde(default)]
    pub guards: Option<Object>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Methods, sorted; empty: every method.
    pub methods: Vec<String>,
    /// As Starlette's `compile_path` takes it, with the prefixes of included routers: `/items/{item_id:int}`. A mount's
    /// ends in `/{path:path}`. Empty for a barrier.
    pub path: String,
    /// What becomes of a request whose path it takes, but not the method; `None`: only the application knows.
    #[serde(default)]
    pub refused: Option<Box<Refused>>,
    /// Who answers it.
    pub serve: Serve,
}

/// What a route answers to methods that it does not take: 405, as `Route.handle` does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The value of `Allow`.
    pub allow: String,
    /// Raises `HTTPException(405)` with it.
    pub native: Native,
}

/// Who answers what a route matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Serve {
    /// The plan.
    Native(Box<Native>),
    /// The application itself, for this reason, in words for `andon routes`.
    Opaque(String),
    /// Nothing is known of what this route matches, for this reason: it and all that follow are the application's.
    Barrier(String),
}

/// How a route is served natively.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Native {
    /// 1, 2 or 3: how much of the framework it needs.
    pub tier: u8,
    /// `module.function`, for people.
    pub endpoint: String,
    /// Whose code calls the endpoint.
    #[serde(default)]
    pub caller: Caller,
    /// The endpoint and all that it depends on. Its `call` is the endpoint.
    pub root: Dependant,
    /// The body that is read before anything else; `None`: it is not looked at.
    pub body: Option<Body>,
    /// Limits of the body's size that are around it, from the outside in; the last one counts.
    #[serde(default)]
    pub limits: Vec<BodyLimit>,
    /// What becomes of the endpoint's result.
    pub response: Response,
    /// What the framework puts into the scope of a matched request, as object numbers: the application, the (top)
    /// router, the route, the endpoint, and the effective context of a route of an included router.
    pub scope: ScopeObjects,
    /// A list of what must be as it was when a request takes this route.
    #[serde(default)]
    pub guards: Option<Object>,
}

/// Whose code calls an endpoint: what is around it, and what becomes of its result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// `fastapi.routing.request_response`: handlers of exceptions, stacks for what is to be closed, an answer is made.
    #[default]
    Fastapi,
    /// `starlette.routing.request_response`: handlers of exceptions; the result is the response.
    Starlette,
    /// The router itself; a result is the response.
    Router,
}

/// What user code finds in the scope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeObjects {
    /// `scope["app"]`.
    pub app: Object,
    /// `scope["router"]`.
    pub router: Object,
    /// `scope["route"]`; `None`: there is none.
    pub route: Option<Object>,
    /// `scope["endpoint"]`; `None`: there is none, nor are there parameters of the path.
    pub endpoint: Option<Object>,
    /// A dictionary, to be copied (one level deep) into `scope["fastapi"]`; `None`: there is none.
    pub fastapi: Option<Object>,
}

/// A callable with its parameters and dependencies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependant {
    /// The callable.
    pub call: Object,
    /// How it is called.
    pub kind: CallKind,
    /// It may suspend; not so an `async def` whose code holds no `await`, `async for`, `async with` and `yield`.
    pub suspends: bool,
    /// Under which keyword its caller gets the result; `None`: it does not.
    pub name: Option<String>,
    /// Equal numbers: one result serves both within a request, if the second says so with `use_cache`.
    pub cache_key: u32,
    /// The result of an equal one that came before is taken.
    pub use_cache: bool,
    /// The framework's object that gives it a semaphore: it waits for its turn. `None`: it need not.
    #[serde(default)]
    pub concurrency: Option<Object>,
    /// For generators: closed with the function (before the answer is sent), not with the request.
    pub function_scope: bool,
    /// Solved in this order, before its own parameters.
    pub dependencies: Vec<Dependant>,
    /// In the framework's order: path, query, header, cookie, body.
    pub parameters: Vec<Parameter>,
    /// Parameters that the framework takes out of a form, after all others; `None`: there are none.
    #[serde(default)]
    pub form: Option<FormFields>,
    /// Objects of the framework that it asks for.
    pub inject: Inject,
}

/// Parameters of a callable that the framework itself finds in a form and validates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormFields {
    /// The framework's own fields: a list.
    pub fields: Object,
    /// The keywords under which their values are passed.
    pub names: Vec<String>,
    /// Each of them is a member of the form, whatever there is of them.
    pub embed: bool,
}

/// How a callable is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// Awaited on the event loop.
    Coroutine,
    /// On a thread.
    Function,
    /// A context manager on a thread; of an endpoint: each item is made on a thread.
    Generator,
    /// An asynchronous context manager; of an endpoint: each item is awaited.
    AsyncGenerator,
}

impl CallKind {
    /// Whether it yields: a dependency its value, an endpoint the items of its answer.
    pub fn is_generator(self) -> bool {
        matches!(self, CallKind::Generator | CallKind::AsyncGenerator)
    }
}

/// Keywords for objects of the framework.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inject {
    /// `HTTPConnection`.
    pub connection: Option<String>,
    /// `Request`.
    pub request: Option<String>,
    /// `BackgroundTasks`.
    pub background_tasks: Option<String>,
    /// `Response`.
    pub response: Option<String>,
    /// `SecurityScopes`, with the scopes.
    pub security_scopes: Option<(String, Vec<String>)>,
}

/// Where a parameter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The path.
    Path,
    /// The query string.
    Query,
    /// The header fields.
    Header,
    /// The cookies.
    Cookie,
    /// The body.
    Body,
    /// The body, which is a form.
    Form,
}

impl Source {
    /// As the framework has it in the `loc` of an error.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Path => "path",
            Source::Query => "query",
            Source::Header => "header",
            Source::Cookie => "cookie",
            Source::Body | Source::Form => "body",
        }
    }
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Where it comes from.
    pub source: Source,
    /// The keyword under which it is passed.
    pub name: String,
    /// The names under which the request may have it, as in the `loc` of errors: the first that is there counts, else the
    /// first. Header names in any case, as the framework tells them.
    pub aliases: Vec<String>,
    /// Every value, not only one.
    pub list: bool,
    /// An empty value counts as not sent: for a sequence that is read from a single value (`Json`, a cookie).
    #[serde(default)]
    pub empty_is_absent: bool,
    /// It must be there.
    pub required: bool,
    /// What stands in for it where it is not there.
    pub absent: Absent,
    /// The default is validated as well.
    pub validate_default: bool,
    /// The bound `validate_python` of its validator: `validate(value, from_attributes=True)`.
    pub validate: Object,
    /// The framework's own field.
    pub field: Object,
    /// For a parameter model: how its fields are gathered; `None` for all others.
    pub model: Option<Object>,
    /// For models whose members are fields of a form.
    #[serde(default)]
    pub form: Option<FormModel>,
}

/// What stands in for a parameter that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// There is none: it is required.
    None,
    /// This very object, which cannot change.
    Shared(Object),
    /// What `field.default` gives, deeply copied.
    Made,
}

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Without a content type it is not taken for JSON.
    pub strict_content_type: bool,
    /// It is an object of which each parameter is a member; else the one parameter is the whole of it.
    pub embed: bool,
    /// It is a form: what the route says of its limits (a dictionary, or Python's `None`).
    #[serde(default)]
    pub form: Option<Object>,
    /// What is `application/x-www-form-urlencoded` need not be read by Starlette's parser.
    #[serde(default)]
    pub urlencoded: bool,
    /// `null` is no value, neither as the whole of it nor as a member: so it was in older releases.
    #[serde(default)]
    pub null_is_absent: bool,
}

/// What becomes of the endpoint's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Status, if the route has one of its own.
    pub status_code: Option<u16>,
    /// The field that validates and serializes the result, or each item of a stream; `None`: whatever it is, is encoded.
    pub field: Option<ResponseField>,
    /// The class of the response.
    pub class: Object,
    /// The class is the default one: a field writes JSON itself.
    pub default_class: bool,
    /// What the items of an endpoint that is a generator go out as; `None`: it is none.
    #[serde(default)]
    pub stream: Option<Stream>,
}

/// What the items of a generator go out as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Each as JSON on a line of its own.
    JsonLines,
    /// Each as a server-sent event.
    Events,
    /// As they are, through a response of the route's class.
    Raw,
}

/// The `response_model` and its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseField {
    /// The framework's own field.
    pub field: Object,
    /// The bound `validate_python` of its validator.
    pub validate: Object,
    /// The bound `to_json` of its serializer.
    pub to_json: Object,
    /// Keywords for the serializer: a dictionary with `include`, `exclude`, `by_alias`, `exclude_unset`,
    /// `exclude_defaults`, `exclude_none`.
    pub options: Object,
    /// All of them are as they are by default: `by_alias` true, the others false or none.
    pub plain: bool,
}
