"""Requests that no route takes, and routes of Starlette: what subjects about them have in common.

An application is made for handlers of exceptions and middleware; all get the same requests.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.websockets import WebSocket

from tests.parity.cases.case import Case, Step, case, get, post, send
from tests.parity.generated.prelude import VARIABLE, Odd, note, where

# Keys that a server puts there, and those that differ in the end (the framework's own scopes).
UNTOLD = frozenset(
    (
        *("type", "asgi", "http_version", "scheme", "method", "raw_path", "query_string"),
        *("headers", "client", "server", "state", "extensions", "fastapi_async_cleanup_scopes"),
    )
)


def tell(scope: Any) -> Any:
    """What is in a scope, as far as it can be written."""
    return {
        "keys": sorted(key for key in scope if key not in UNTOLD),
        "paths": [scope["path"], scope.get("root_path"), scope.get("app_root_path")],
        "parameters": scope.get("path_params"),
        "endpoint": getattr(scope.get("endpoint"), "__name__", None),
        "route": getattr(scope.get("route"), "path", None),
        "fastapi": sorted(scope.get("fastapi") or {}),
        "title": getattr(scope.get("app"), "title", None),
    }


class Telling:
    """A middleware that tells what a scope has, before and after."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"x-put":
                scope[value.decode()] = "/put"
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            note("raised", type(error).__name__, str(error))
            raise
        finally:
            note("left", tell(scope))


async def dispatch(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    VARIABLE.set("dispatch")
    response = await call_next(request)
    note("answered", response.status_code, tell(request.scope))
    response.headers["x-dispatch"] = "1"
    return response


class Class(HTTPEndpoint):
    """An endpoint that is a class, which is Starlette's."""

    async def get(self, request: Request) -> Response:
        return PlainTextResponse("class")


class Own(Response):
    """A response with a way of its own to be sent."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        note("sent by itself")
        await super().__call__(scope, receive, send)


async def plain(request: Request) -> Any:
    """A route of Starlette that tells what it gets."""
    kind = request.query_params.get("kind")
    VARIABLE.set("plain")
    note("plain", where(), tell(request.scope))
    match kind:
        case "task":
            return JSONResponse("task", background=BackgroundTask(note, "task"))
        case "stream":
            return StreamingResponse(iter(["a", "b"]))
        case "own":
            return Own("own")
        case "nothing":
            return None
        case "dictionary":
            return {"a": 1}
        case "http":
            raise HTTPException(418, "teapot", {"x-tea": "pot"})
        case "odd":
            raise Odd("odd")
        case "fails":
            raise ValueError("fails")
    return PlainTextResponse((await request.body()).decode() or str(request.url))


def on_thread(request: Request) -> Response:
    note("thread", where(), tell(request.scope))
    if "fails" in request.query_params:
        raise LookupError("fails")
    return PlainTextResponse(request.path_params.get("rest", "thread"), 201)


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()


def make_inner(title: str) -> FastAPI:
    """An application to be mounted."""
    inner = FastAPI(title=title)

    @inner.get("/item/{item_id:int}")
    async def inner_item(request: Request, item_id: int) -> Any:
        return [item_id, tell(request.scope)]

    @inner.get("/slash/")
    async def inner_slash() -> str:
        return "slash"

    @inner.get("/fails")
    async def inner_fails() -> None:
        raise ValueError("inside")

    @inner.get("/teapot")
    def inner_teapot() -> None:
        raise HTTPException(418, title)

    inner.add_route("/plain/{name}", plain)
    return inner


async def asynchronous() -> str:
    return VARIABLE.get()


def make(handlers: str = "", middleware: list[Middleware] | None = None, **options: Any) -> FastAPI:
    """An application; ``handlers`` names those it has for exceptions."""
    app = FastAPI(title="outer", middleware=middleware, **options)

    @app.get("/item/{item_id:int}")
    async def item(item_id: int) -> int:
        return item_id

    @app.put("/item/{name}")
    def put_item(name: str) -> str:
        return name

    @app.get("/slash/")
    async def slash(value: Annotated[str, Depends(asynchronous)]) -> str:
        return value

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("fails")

    app.add_route("/plain", plain, methods=["GET", "POST"])
    app.add_route("/thread/{rest:path}", on_thread)
    app.router.routes.append(Route("/class", Class))
    app.router.add_websocket_route("/chat/", chat)
    router = APIRouter(prefix="/router")

    @router.get("/one/{a}")
    async def one(a: str) -> str:
        return a

    router.add_route("/router/plain/{name}", plain)
    inner_router = APIRouter(prefix="/deep")

    @inner_router.post("/two/{b}/")
    async def two(b: int) -> int:
        return b

    router.include_router(inner_router)
    app.include_router(router)
    inner = make_inner("inner")
    inner.mount("/deep", make_inner("deep"))
    app.mount("/inner", inner)
    app.router.routes.append(Mount("/routes", routes=[Route("/{name}", plain)]))

    @app.get("/router/one/{b}/{c}")
    async def last(b: str, c: str) -> list[str]:
        return [b, c]

    for each in (app, inner):
        for name in handlers.split():
            _HANDLERS[name](each)
    return app


def _by_status(app: FastAPI) -> None:
    @app.exception_handler(404)
    async def not_found(request: Request, error: HTTPException) -> Response:
        note("404", where(), VARIABLE.get(), error.detail, error.headers, tell(request.scope))
        if "redirect" in request.query_params:
            return RedirectResponse("/elsewhere")
        told = [str(request.url), (await request.body()).decode()]
        return JSONResponse(told, 404, {"x-own": "1"}, background=BackgroundTask(note, "after"))

    @app.exception_handler(405)
    def not_allowed(request: Request, error: HTTPException) -> Response:
        note("405", where(), error.detail, tell(request.scope))
        return PlainTextResponse(str(request.path_params), 405, error.headers)


def _by_class(app: FastAPI) -> None:
    @app.exception_handler(AnyHTTPException)
    async def handle(request: Request, error: AnyHTTPException) -> Response | None:
        kind = request.query_params.get("answer")
        note("any", type(error).__name__, error.status_code, tell(request.scope))
        match kind:
            case "nothing":
                return None
            case "fails":
                raise LookupError("in the handler")
            case "again":
                raise error
            case "stream":
                return StreamingResponse(iter([b"a", b"b"]), error.status_code)
        return Own(f"{error.status_code}", error.status_code, error.headers)


def _by_fastapi(app: FastAPI) -> None:
    # Of the router's own exceptions this takes none.
    @app.exception_handler(HTTPException)
    def handle(request: Request, error: HTTPException) -> Response:
        note("fastapi's", error.status_code)
        return PlainTextResponse("fastapi's", error.status_code)


def _of_all(app: FastAPI) -> None:
    @app.exception_handler(Exception)
    async def handle(request: Request, error: Exception) -> Response:
        note("all", type(error).__name__, str(error), tell(request.scope))
        return PlainTextResponse("all", 500)


_HANDLERS: dict[str, Callable[[FastAPI], None]] = {
    "status": _by_status,
    "class": _by_class,
    "fastapi": _by_fastapi,
    "all": _of_all,
}

PLACES = ("", "/inner", "/inner/deep")

# How a request ends: the status, if it is not as ever, and what is raised.
End = tuple[int | None, str | None]


def cases(silent: End | None = None) -> list[Case]:
    """Requests; ``silent`` is how it ends that a handler for all of them returns nothing."""
    made = [*_missed(), *_redirects(), *_starlette()]
    return made if silent is None else [*made, *_answers(silent)]


def _answers(silent: End) -> list[Case]:
    """What handlers do by class; the innermost application has none."""
    fails, again, around = (500, "LookupError"), (500, "HTTPException"), (500, "RuntimeError")
    as_ever: End = (None, None)
    ends: dict[str, tuple[End, End]] = {
        "nothing": (silent, silent),
        "fails": (fails, fails),
        # In the application around it is handled once more.
        "again": (again, around),
        "stream": (as_ever, as_ever),
    }
    made = []
    for answer, (outer, inner) in ends.items():
        steps = [
            send(
                method,
                f"{place}{path}?answer={answer}",
                code if status is None else status,
                raises=raises,
            )
            for place, (status, raises) in zip(PLACES, (outer, inner, as_ever), strict=True)
            for method, path, code in (("GET", "/absent", 404), ("DELETE", "/item/1", 405))
        ]
        # Without an answer nothing is sent that could be compared.
        made.append(case(f"a handler: {answer}", *steps, wire=answer != "nothing"))
    return made


def _missed() -> list[Case]:
    found = [
        case(
            f"{place or '/'}: no route takes it",
            get(f"{place}/absent?a=1", 404),
            get(f"{place}/item/x/y", 404),
            get(f"{place}/", 404),
            post(f"{place}/absent", 404, '{"a": 1}'),
            send("HEAD", f"{place}/absent", 404),
            send("OPTIONS", f"{place}/absent", 404),
            get(f"{place}/ab%20sent%3F%C3%A9", 404),
            get(f"{place}/item/1"),
        )
        for place in PLACES
    ]
    refused = [
        case(
            f"{place or '/'}: no route takes its method",
            send("DELETE", f"{place}/item/1", 405),
            send("HEAD", f"{place}/item/12", 405),
            send("OPTIONS", f"{place}/item/12", 405),
            post(f"{place}/item/1?a=1", 405, '{"a": 1}'),
            send("PATCH", f"{place}/plain/a" if place else "/plain", 405),
        )
        for place in PLACES
    ]
    others = [
        case(
            "no route takes its method: of others",
            get("/item/x", 405),
            send("DELETE", "/router/one/a", 405),
            get("/router/deep/two/1/", 405),
            send("DELETE", "/router/plain/a", 405),
            post("/thread/a/b", 405, ""),
            send("PATCH", "/class", 405),
        ),
        case(
            "put into the scope before",
            get("/absent", 404, ("x-put", "app_root_path")),
            get("/inner/absent", 404, ("x-put", "app_root_path")),
            get("/item/1", 200, ("x-put", "root_path")),
        ),
    ]
    return [*found, *refused, *others]


def _redirects() -> list[Case]:
    places = [
        case(
            f"{place or '/'}: a slash at the end",
            get(f"{place}/slash", 307),
            get(f"{place}/slash?a=1&b=%20%C3%A9", 307),
            get(f"{place}/slash?", 307),
            get(f"{place}/item/1/", 307),
            get(f"{place}/item/1///", 307),
            get(f"{place}/item/x/y/", 404),
            post(f"{place}/slash", 307, "body"),
            send("HEAD", f"{place}/slash", 307),
        )
        for place in PLACES
    ]
    return [
        *places,
        case(
            "a slash at the end: of other routes",
            get("/router/one/a/", 307),
            get("/router/deep/two/1", 307),
            get("/plain/", 307),
            get("/thread", 307),
            get("/inner", 307),
            get("/routes", 307),
            get("/chat", 404),
            get("//", 404),
        ),
        case(
            "where a host is told",
            *_hosts("a.example", "a.example:81", "A.Example:443", "[::1]:80"),
        ),
        # Servers refuse some of them, and where none is told there is the port.
        case("where a host is not told", *_hosts("a b", "a/b", "", "a:99999"), wire=False),
        case("a name with a space", get("/router/deep/two/%20a%20", 307)),
    ]


def _hosts(*names: str) -> list[Step]:
    return [get("/slash", 307, ("host", name), host=False) for name in names]


def _starlette() -> list[Case]:
    paths = ("/plain", "/router/plain/a", "/inner/plain/b", "/inner/deep/plain/c")
    kinds = [
        case(
            f"{path}: what a route of Starlette returns",
            get(path),
            get(f"{path}?kind=task"),
            get(f"{path}?kind=stream"),
            get(f"{path}?kind=own"),
            send("HEAD", path, 200),
        )
        for path in paths
    ]
    raising = [
        case(
            f"{path}: what a route of Starlette raises",
            get(f"{path}?kind=http", 418),
            get(f"{path}?kind=nothing", 500, raises="TypeError"),
            get(f"{path}?kind=dictionary", 500, raises="TypeError"),
            get(f"{path}?kind=odd", 500, raises="Odd"),
            get(f"{path}?kind=fails", 500, raises="ValueError"),
        )
        for path in paths
    ]
    return [
        *kinds,
        *raising,
        case(
            "routes of Starlette on threads, classes, documentation",
            post("/plain", 200, "a body"),
            get("/thread/a/b", 201),
            get("/thread/", 201),
            get("/thread/a?fails", 500, raises="LookupError"),
            get("/class"),
            get("/docs"),
            get("/redoc"),
            get("/openapi.json"),
            get("/docs/oauth2-redirect"),
            get("/inner/docs"),
            get("/inner/openapi.json"),
            get("/routes/a"),
        ),
        case(
            "what fails",
            get("/fails", 500, raises="ValueError"),
            get("/inner/fails", 500, raises="ValueError"),
            get("/inner/deep/fails", 500, raises="ValueError"),
            get("/inner/teapot", 418),
            get("/inner/deep/teapot", 418),
        ),
    ]
