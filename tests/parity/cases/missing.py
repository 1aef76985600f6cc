"""Requests that no route takes, and routes of Starlette: what subjects about them have in common.

An application is made for handlers of exceptions and middleware; all get the requests of
`missing_cases`.
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
