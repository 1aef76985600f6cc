"""Draws what generated functions do, what endpoints return, and what an application has besides."""

from dataclasses import replace
from random import Random

from fastapi import FastAPI

from tests.parity.generated import layers
from tests.parity.generated.release import known
from tests.parity.generated.specification import (
    ASYNC,
    ASYNC_CALLABLE,
    ASYNC_GENERATOR,
    Application,
    Effect,
    Model,
)

ON_ERROR = (
    *("raise", "raise", "raise", "pass"),
    'raise HTTPException(409, "from the generator")',
    'raise Odd("from the generator") from error',
)
RAISING = (
    'raise HTTPException(418, {"at": values}, headers={"X-One": "1", "x-one": "2"})',
    "raise HTTPException(404)",
    "raise HTTPException(304)",
    "raise Odd(values)",
    'raise VeryOdd("very")',
    'raise ValueError("é")',
    'raise RequestValidationError([{"type": "mine", "loc": ("x",)}], body={"b": 1})',
    "raise asyncio.TimeoutError",
)
WAITS = ("asyncio.sleep(0)", "anyio.sleep(0)", "anyio.to_thread.run_sync(note, 'thread')")
# Servers do not agree on what becomes of the length.
RAISING_FOR_NO_SERVER = 'raise HTTPException(304, headers={"content-length": "7"})'
CANCELLING = ("await cancel()", "await leave()")
CONTEXT = 'VARIABLE.set("set")'
ON_LOOP = ("await asyncio.sleep(0)", "await asyncio.to_thread(note, 'thread')")
OF_INJECTION = {
    "response": (
        "response.status_code = 202",
        'response.headers["X-Set"] = values[:20].encode("ascii", "replace").decode()',
        'response.headers["content-type"] = "text/odd"',
        'response.set_cookie("c", "v")',
        'response.set_cookie("d", max_age=0, path="/x")',
    ),
    "tasks": (
        "tasks.add_task(background, values, 1)",
        "tasks.add_task(async_background, values, value=2)",
    ),
    "request": ('request.state.seen = "yes"', "note(request.url_for.__name__)"),
}
OF_REQUEST_ON_LOOP = (
    "note(await request.body())",
    "note(await request.json() if values else None)",
    "note([chunk async for chunk in request.stream()])",
)
# What it takes of a body is lost; under a server, who asks for the body then waits for ever.
OF_REQUEST_FOR_NO_SERVER = "note(await request.is_disconnected())"

VALUES = (
    "values",
    '{"values": values, "here": where()}',
    "None",
    "[1, 2.5, None, True, 'é\\u2028\\\"']",
    '{"a": 1e-05, "b": 1.5e300, "c": -0.0, "d": 123456789.123456789, "e": 1e16, "f": 1e22}',
    'float("nan")',
    '{"big": 10**40, "small": -(2**63) - 1}',
    '{1: "int", None: "none", True: "bool", 1.5: "float"}',
    '{"_sa_state": 1, "kept": 2}',
    "b'bytes'",
    'Text("text")',
    "[Colour.RED, Level.HIGH]",
    '{"d": Decimal("1.10"), "i": Decimal("3"), "t": timedelta(days=1), "e": EPOCH}',
    "(1, {2}, frozenset([3]))",
    'FilePath("a/b")',
    "Point(1)",
    'Pair(1, "b")',
    'Tree(children=[Tree(name="é")])',
    '"\\ud800"',
    '{"\\x00": "\\x7f\\x1f", "tab": "\\t"}',
    "Opaque()",
    "True",
    "12345678901234567890",
    "{}",
    "[]",
    "[[[[[]]]], {'a': {'b': {}}}]",
)
RESPONSES = (
    'JSONResponse({"r": values}, status_code=203, headers={"X-R": "1"})',
    'PlainTextResponse("é", background=BackgroundTask(background, "own", 1))',
    "Response(status_code=204)",
    'Response(b"\\x00\\xff", media_type="application/octet-stream")',
    'RedirectResponse("/other?é")',
    'HTMLResponse("<p>", headers={"Content-Type": "text/plain"})',
    "Response()",
)
BODILESS = ("status_code=204", "status_code=304")
# FastAPI announces a length for it and sends nothing.
BODILESS_FOR_NO_SERVER = "status_code=205"
CLASSES = (
    "response_class=PlainTextResponse",
    "response_class=HTMLResponse",
    "response_class=JSONResponse",
    "response_class=Response",
    "response_class=RedirectResponse",
)
MODEL_FLAGS = (
    "response_model_exclude_unset=True",
    "response_model_exclude_defaults=True",
    "response_model_exclude_none=True",
    "response_model_by_alias=False",
    'response_model_include={"m0"}',
    'response_model_exclude={"m0", "m1"}',
)
# Annotations with results that are right for them, or almost.
ANNOTATED = (
    ("int", "10**25"),
    ("str", "values"),
    ("str", '"\\ud800"'),
    ("float", "1e-05"),
    ("list[float]", '[1e16, float("nan"), float("inf"), -0.0, 5e-324, 1]'),
    ("None", "None"),
    ("None", "1"),
    (
        "dict[str, Any]",
        '{"a": {1, 2}, "b": Point(1), "c": b"\\xff" if chance(values, 2) else b"c"}',
    ),
    ("list[Any]", "[values, Colour.RED, EPOCH, Tree()]"),
    ("Any", "where()"),
    ("bool | None", "None if chance(values, 2) else 1"),
    ("bytes", 'b"bytes"'),
    ("Tree", 'Tree(children=[Tree(name="\\x1f")])'),
    ("Tree", '{"name": values, "children": [{}]}'),
    ("Point", "Point(2)"),
    ("Hexadecimal", "255"),
    ("dict[str, float]", '{"a": 1}'),
    ("dict[int, Decimal]", '{1: Decimal("1.10"), 2**70: 3}'),
    ("set[Colour]", '{"red"}'),
    ("int | str", '"5"'),
    ("Noted", "5"),
    ("Even", "len(values)"),
)

STARLETTE_SHARE = 0.25
APPLICATION_OPTIONS = (
    "redirect_slashes=False",
    "strict_content_type=False",
    'root_path="/mounted"',
    "default_response_class=PlainTextResponse",
    "max_body_size=100",
    'form_limits={"max_fields": 1}',
)
HANDLERS = (
    """\
@app.exception_handler(Odd)
async def handle_odd(request: Request, error: Odd):
    note("handler", error, where(), error.__traceback__ is not None)
    return JSONResponse({"odd": str(error)}, status_code=460)""",
    """\
@app.exception_handler(RequestValidationError)
def handle_invalid(request: Request, error: RequestValidationError):
    note("handler", error.errors(), error.body)
    return PlainTextResponse(f"{len(error.errors())} {error.body!r}", status_code=461)""",
    """\
@app.exception_handler(HTTPException)
async def handle_http(request: Request, error: HTTPException):
    return PlainTextResponse(str(error.detail), error.status_code, headers={"X-Handled": "1"})""",
    """\
@app.exception_handler(404)
async def handle_missing(request: Request, error: Exception):
    return JSONResponse({"missing": request.url.path}, status_code=404)""",
    """\
@app.exception_handler(405)
def handle_method(request: Request, error: HTTPException):
    note("handler", where(), show(request=request))
    return PlainTextResponse(str(request.path_params), 405, error.headers)""",
    """\
@app.exception_handler(AnyHTTPException)
async def handle_any_http(request: Request, error: AnyHTTPException):
    note("handler", where(), show(request=request))
    if request.url.query.endswith("1"):
        raise Odd("in a handler")
    return PlainTextResponse(str(error.detail), error.status_code, headers={"X-Any": "1"})""",
    """\
@app.exception_handler(Exception)
async def handle_any(request: Request, error: Exception):
    return PlainTextResponse(f"{type(error).__name__} {error}"[:200], status_code=500)""",
    """\
@app.exception_handler(ResponseValidationError)
async def handle_response(request: Request, error: ResponseValidationError):
    return PlainTextResponse(str(error)[:500], status_code=462)""",
)
DISPATCH = """\
@app.middleware("http")
async def around(request: Request, call_next: Any):
    VARIABLE.set("middleware")
    response = await call_next(request)
    response.headers["X-Around"] = "1"
    return response"""
STARLETTE = (
    'app.add_route("/plain/{rest:path}", plain)',
    'app.add_route("/items", plain_on_thread, methods=["PUT", "GET"])',
)


def effects(
    random: Random, style: str, injections: tuple[tuple[str, str], ...], for_servers: bool
) -> tuple[Effect, ...]:
    """What a function does before it returns; only some of it for each set of values."""
    found = []
    on_loop = style in (ASYNC, ASYNC_CALLABLE, ASYNC_GENERATOR)
    for name, _ in injections:
        found += [Effect(2, text) for text in OF_INJECTION.get(name, ()) if random.random() < 0.4]
        if name == "request" and on_loop and random.random() < 0.4:
            found.append(Effect(2, _asking(random, for_servers)))
    if on_loop and random.random() < 0.3:
        found.append(Effect(1, random.choice(ON_LOOP)))
    if on_loop and not for_servers and random.random() < 0.05:
        found.append(Effect(random.choice((2, 4)), random.choice(CANCELLING)))
    if random.random() < 0.2:
        found.append(Effect(1, CONTEXT))
    if random.random() < 0.3:
        found.append(Effect(random.choice((2, 4, 8)), _raising(random, for_servers)))
    return tuple(found)


def end_effects(random: Random, style: str, for_servers: bool) -> tuple[Effect, ...]:
    """What a generator does at its end."""
    found = []
    if style == ASYNC_GENERATOR and random.random() < 0.5:
        # Shielded by FastAPI, so that it comes to its end although the request was cancelled.
        found.append(Effect(1, f"note('waited', await {random.choice(WAITS)})"))
    if random.random() < 0.15:
        found.append(Effect(random.choice((2, 4)), _raising(random, for_servers)))
    return tuple(found)


def _asking(random: Random, for_servers: bool) -> str:
    asking = OF_REQUEST_ON_LOOP
    return random.choice(asking if for_servers else (*asking, OF_REQUEST_FOR_NO_SERVER))


def _raising(random: Random, for_servers: bool) -> str:
    return random.choice(RAISING if for_servers else (*RAISING, RAISING_FOR_NO_SERVER))


def _bodiless(random: Random, for_servers: bool) -> str:
    return random.choice(BODILESS if for_servers else (*BODILESS, BODILESS_FOR_NO_SERVER))


def answer(
    random: Random, models: tuple[Model, ...], for_servers: bool
) -> tuple[str, str | None, tuple[str, ...]]:
    """What an endpoint returns, its annotation, and options of its route."""
    options: list[str] = []
    annotation = None
    returns = random.choice(VALUES)
    draw = random.random()
    if draw < 0.15:
        returns = random.choice(RESPONSES)
    elif draw < 0.35:
        annotation, right = random.choice(ANNOTATED)
        returns = right if random.random() < 0.8 else returns
    elif draw < 0.6:
        returns, annotation, options = of_model(random, random.choice(models))
    if random.random() < 0.1:
        options.append("status_code=201")
    elif random.random() < 0.1:
        # FastAPI does not let such a route say what it answers.
        return random.choice((returns, "None")), None, (_bodiless(random, for_servers),)
    if random.random() < 0.1:
        options.append(random.choice(CLASSES))
    return returns, annotation, tuple(options)


def of_model(random: Random, model: Model) -> tuple[str, str | None, list[str]]:
    """A model's values or an instance, its annotation, and options of its route."""
    fields = [field for field in model.fields if field.required or random.random() < 0.5]
    names = [field.alias or field.name for field in fields]
    pairs = [f"{name!r}: {field.kind.default}" for name, field in zip(names, fields, strict=True)]
    returns = f"{{{', '.join([*pairs, repr('unknown') + ': 1'])}}}"
    if random.random() < 0.5:
        returns = f"{model.name}.model_construct(**{{{', '.join(pairs)}}})"
    annotation = random.choice((model.name, f"{model.name} | None", f"list[{model.name}]"))
    if annotation.startswith("list"):
        returns = f"[{returns}]"
    flags = [flag for flag in MODEL_FLAGS if random.random() < 0.12]
    if random.random() < 0.3:
        return returns, None, [f"response_model={annotation}", *flags]
    return returns, annotation, flags


def add(
    random: Random, application: Application, share: float, middleware_share: float
) -> Application:
    """Add options, exception handlers and middleware, each in that share of the applications."""
    drawn = [option for option in APPLICATION_OPTIONS if random.random() < 0.08]
    options = known(FastAPI, drawn)
    found: list[str] = []
    mounted = [f"router_{n}" for n, router in enumerate(application.routers) if router.mounted]
    for name in ("app", *mounted):
        if random.random() < share:
            handlers = [handler for handler in HANDLERS if random.random() < 0.4]
            found += [handler.replace("@app.", f"@{name}.") for handler in handlers]
        routes = [route for route in STARLETTE if random.random() < STARLETTE_SHARE]
        found += [route.replace("app.", f"{name}.", 1) for route in routes]
    if random.random() < middleware_share:
        if random.random() < 0.7:
            found += layers.draw(random)
        else:
            # Layers inside of it, or none.
            found += layers.draw(random) if random.random() < 0.5 else ()
            found.append(DISPATCH)
    # Natively there is no task group inside of it, which the scope around it could cancel.
    may_be_scoped = DISPATCH not in found
    return replace(
        application,
        options=options,
        statements=tuple(found),
        scoped=random.random() < 0.4 and may_be_scoped,
    )
