//! The classes and functions of FastAPI, Starlette, pydantic and Andon's own Python half that native routes use, looked up
//! once per plan.
//!
//! The inspection has made sure that they are the known ones. The application has imported them all.

use pyo3::{intern, prelude::*, types::PyTuple};

/// Names a field for each object and where it is.
macro_rules! framework {
    ($($(#[doc = $doc:literal])+ $field:ident: $module:literal $name:literal,)+) => {
        /// What native routes use of the frameworks.
        pub(crate) struct Framework {
            $($(#[doc = $doc])+ pub(crate) $field: Py<PyAny>,)+
            /// Shields what a context manager does in the end from cancel scopes around the request. FastAPI has it from
            /// 0.163 on; before, nothing is shielded.
            pub(crate) shielded_exit: Option<Py<PyAny>>,
            /// Whether a generator on a thread is closed after any exception, also one that is no `Exception`.
            pub(crate) closes_after_any: bool,
            /// Whether the traceback of an exception is forgotten that a handler has answered.
            pub(crate) forgets_tracebacks: bool,
            /// `("from_attributes",)`.
            pub(crate) from_attributes: Py<PyTuple>,
            /// `("by_alias",)`.
            pub(crate) by_alias: Py<PyTuple>,
            /// The keywords of `body_parameters`.
            pub(crate) body_keywords: Py<PyTuple>,
        }

        impl Framework {
            /// Looks everything up; an error names what a release lacks.
            pub(crate) fn find(py: Python<'_>) -> PyResult<Self> {
                Ok(Self {
                    $($field: py.import($module)?.getattr($name)?.unbind(),)+
                    shielded_exit: py
                        .import("fastapi.concurrency")?
                        .getattr_opt("_asynccontextmanager_with_shielded_exit")?
                        .map(Bound::unbind),
                    closes_after_any: py
                        .import("andon.native.releases.exits")?
                        .call_method0("closes_after_any")?
                        .is_truthy()?,
                    forgets_tracebacks: py
                        .import("andon.native.releases.tracebacks")?
                        .call_method0("are_forgotten")?
                        .is_truthy()?,
                    from_attributes: PyTuple::new(py, [intern!(py, "from_attributes")])?.unbind(),
                    by_alias: PyTuple::new(py, [intern!(py, "by_alias")])?.unbind(),
                    body_keywords: PyTuple::new(py, ["body_fields", "received_body", "embed_body_fields"])?.unbind(),
                })
            }
        }
    };
}

framework! {
    /// `drive(function, arguments)` runs a coroutine function that cannot suspend.
    drive: "andon.offload" "drive",
    /// `Request(scope, receive, send)`.
    request: "starlette.requests" "Request",
    /// The class of answers that come in pieces.
    streaming_response: "starlette.responses" "StreamingResponse",
    /// `lines(items, write)`, and the like: the generators between an endpoint's and its response.
    lines: "andon.native.streams" "lines",
    /// Likewise, where each item is made on a thread.
    lines_on_threads: "andon.native.streams" "lines_on_threads",
    /// Likewise, of pieces that are sent as they are.
    pieces: "andon.native.streams" "pieces",
    /// `events(items, is_asynchronous, write, stack)`, to be awaited.
    events: "andon.native.streams" "events",
    /// `event(item)` is how a `ServerSentEvent` is written.
    event: "andon.native.streams" "event",
    /// `json_of(item)` is an item without a field as JSON.
    json_of: "andon.native.streams" "json_of",
    /// An item that says itself what its event is.
    server_sent_event: "andon.native.streams" "ServerSentEvent",
    /// Raised where the body of a request breaks off.
    client_disconnect: "starlette.requests" "ClientDisconnect",
    /// The class of plain responses.
    response: "starlette.responses" "Response",
    /// The class whose body this crate can write itself.
    json_response: "starlette.responses" "JSONResponse",
    /// `BackgroundTasks()` as FastAPI injects it.
    background_tasks: "fastapi" "BackgroundTasks",
    /// `SecurityScopes(scopes=...)`.
    security_scopes: "fastapi.security" "SecurityScopes",
    /// The base class of all exceptions with a status.
    http_exception: "starlette.exceptions" "HTTPException",
    /// Errors in what the client sent.
    request_validation_error: "fastapi.exceptions" "RequestValidationError",
    /// Errors in what the endpoint returned.
    response_validation_error: "fastapi.exceptions" "ResponseValidationError",
    /// What FastAPI raises for mistakes of the application.
    fastapi_error: "fastapi.exceptions" "FastAPIError",
    /// Makes anything ready for JSON.
    jsonable_encoder: "fastapi.encoders" "jsonable_encoder",
    /// The function, file and line of an endpoint, for errors.
    endpoint_context: "fastapi.routing" "_extract_endpoint_context",
    /// `read(request, limits)` parses a form.
    read_form: "andon.native.forms" "read",
    /// `read_on(request, limits, pieces, more)` parses one of which pieces were read.
    read_form_on: "andon.native.forms" "read_on",
    /// `FormData(items)`.
    form_data: "starlette.datastructures" "FormData",
    /// `responder(scope, receive, send, size)` counts a body and refuses it when it is larger.
    body_limit: "andon.native.limits" "responder",
    /// `lower(scope, size)`: what counts already counts to this limit.
    inner_body_limit: "andon.native.limits" "lower",
    /// `within(app)`: what the framework puts between a limit and what it limits.
    within_body_limit: "andon.native.limits" "within",
    /// `signal(error)`: the exception of a limit that it is or holds, or `None`.
    body_limit_signal: "andon.native.limits" "signal",
    /// `are_plain(fields)`: whether no code of the application validates them.
    are_plain: "andon.native.plain" "are_plain",
    /// `held(manager, semaphore)`: a context manager under a semaphore.
    held_semaphore: "andon.native.concurrency" "held",
    /// Finds the parameters of a callable in a body, and validates them.
    body_parameters: "fastapi.dependencies.utils" "request_body_to_args",
    /// The handler that FastAPI has for exceptions with a status; it takes no notice of the request.
    http_exception_handler: "fastapi.exception_handlers" "http_exception_handler",
    /// The handler that FastAPI has for errors of validation; likewise.
    validation_exception_handler: "fastapi.exception_handlers" "request_validation_exception_handler",
    /// Whether a handler is to be awaited.
    is_async_callable: "starlette._utils" "is_async_callable",
    /// Calls a function on a thread.
    run_in_threadpool: "starlette.concurrency" "run_in_threadpool",
    /// Answers where no handler has, and raises again.
    server_error_middleware: "starlette.middleware.errors" "ServerErrorMiddleware",
    /// `AsyncExitStack()`.
    exit_stack: "contextlib" "AsyncExitStack",
    /// `manager(generator, unstopped=False)` makes an asynchronous generator that was called a context manager.
    generator_manager: "andon.native.generators" "manager",
    /// Makes a generator a context manager.
    context_manager: "contextlib" "contextmanager",
    /// Makes the context manager of a generator one that is awaited and works on a thread.
    context_manager_in_threadpool: "fastapi.concurrency" "contextmanager_in_threadpool",
    /// `shield(begins)` keeps a Task from being cancelled that is being ended.
    shield_exit: "andon.native.dispatching" "shield_exit",
    /// `exit(exit)` calls it on a thread, whatever the limiter says.
    exit_on_thread: "andon.native.dispatching" "exit_on_thread",
    /// `CancelScope()` of anyio.
    cancel_scope: "anyio" "CancelScope",
    /// Copies defaults.
    deepcopy: "copy" "deepcopy",
    /// What validators raise.
    validation_error: "pydantic_core" "ValidationError",
    /// Reads JSON, as `json.loads` does where it succeeds.
    from_json: "pydantic_core" "from_json",
    /// Reads JSON, with the errors that applications know.
    json_loads: "json" "loads",
    /// What that raises for what is no JSON.
    json_decode_error: "json" "JSONDecodeError",
    /// Parses a content type.
    message: "email.message" "Message",
    /// `UUID(text)`.
    uuid: "uuid" "UUID",
    /// Lets a cancellation take effect that anyio has asked for.
    checkpoint_if_cancelled: "anyio.lowlevel" "checkpoint_if_cancelled",
}
