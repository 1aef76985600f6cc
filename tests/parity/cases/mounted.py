"""Applications of FastAPI within another one: scopes, root paths, exceptions that go outward."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from tests.parity.cases import has_parameter
from tests.parity.cases.case import case, get, post, send
from tests.parity.generated.prelude import Odd, VeryOdd, note

# Keys that a server puts there, each in an order of its own.
OF_SERVERS = frozenset(
    (
        *("type", "asgi", "http_version", "scheme", "method", "path", "raw_path", "query_string"),
        *("headers", "client", "server", "state", "extensions", "root_path"),
    )
)


class Unhandled(Exception):
    """One without a handler."""


async def session() -> AsyncIterator[str]:
    note("opened")
    try:
        yield "session"
    finally:
        note("closed")


async def overridden() -> str:
    return "as it is"


def tell_scope(request: Request) -> Any:
    """All keys in their order, and what differs from application to application."""
    scope = request.scope
    return {
        "keys": [key for key in scope if key not in OF_SERVERS],
        "root_path": scope["root_path"],
        "app_root_path": scope.get("app_root_path"),
        "path_params": scope["path_params"],
        "title": scope["app"].title,
        "router": scope["router"] is scope["app"].router,
        "handlers": len(scope["starlette.exception_handlers"][0]),
        "fastapi": sorted(scope.get("fastapi", {})),
        "url": str(request.url_for("tell", name="a")),
    }


# Earlier releases have no limits.
LIMIT = {"max_body_size": 1000} if has_parameter(FastAPI, "max_body_size") else {}


def make_inner(title: str, **options: Any) -> FastAPI:
    inner = FastAPI(title=title, **options)

    @inner.get("/tell/{name}")
    async def tell(request: Request, name: str) -> Any:
        return [name, tell_scope(request)]

    @inner.get("/item/{item_id}")
    async def item(item_id: int, held: Annotated[str, Depends(session)]) -> list[Any]:
        return [item_id, held]

    @inner.get("/thread")
    def thread(request: Request, q: int = 1) -> Any:
        return [q, request.scope["root_path"]]

    @inner.post("/form")
    async def form(name: Annotated[str, Form()]) -> str:
        return name

    @inner.get("/overridden")
    async def take_overridden(value: Annotated[str, Depends(overridden)]) -> str:
        return value

    @inner.get("/raise/{kind}")
    async def fail(kind: str, held: Annotated[str, Depends(session)]) -> None:
        errors: dict[str, Exception] = {
            "http": HTTPException(418, "teapot"),
            "odd": Odd("odd"),
            "very": VeryOdd("very"),
            "unhandled": Unhandled("unhandled"),
            "lookup": LookupError("lookup"),
        }
        raise errors[kind]

    @inner.get("/invalid", response_model=int)
    async def invalid() -> str:
        return "no number"

    @inner.get("/task")
    async def task() -> JSONResponse:
        return JSONResponse("task", background=BackgroundTask(note, "task"))

    @inner.exception_handler(Odd)
    async def handle_odd(request: Request, error: Odd) -> JSONResponse:
        return JSONResponse([title, request.scope["root_path"]], 460)

    router = APIRouter(prefix="/router")

    @router.get("/tell/{name}")
    async def tell_included(request: Request, name: str) -> Any:
        return [name, tell_scope(request)]

    inner.include_router(router)

    @inner.get("/last")
    async def last(request: Request) -> Any:
        return tell_scope(request)

    return inner


def make() -> FastAPI:
    app = FastAPI(title="outer", description="around the others")
    first = make_inner("first")
    first.mount("/deep", make_inner("deep"))
    app.mount("/first", first)
    router = APIRouter()

    @router.get("/included")
    async def included() -> str:
        return "included"

    app.include_router(router)
    second = make_inner("second")
    second.root_path = "/second"
    app.mount("/second", second)
    app.mount("/with/{name}", make_inner("third"))
    limited = make_inner("fourth", **LIMIT)
    app.mount("/limited", limited)

    @app.exception_handler(LookupError)
    async def handle_lookup(request: Request, error: LookupError) -> JSONResponse:
        return JSONResponse("never", 461)

    @app.exception_handler(VeryOdd)
    async def handle_very_odd(request: Request, error: VeryOdd) -> JSONResponse:
        return JSONResponse("never", 462)

    @app.exception_handler(500)
    async def handle_all(request: Request, error: Exception) -> JSONResponse:
        note("outermost", type(error).__name__, request.scope["app"].title)
        return JSONResponse("outermost", 500)

    app.state.first = first
    return app


def override(app: FastAPI) -> None:
    app.state.first.dependency_overrides[overridden] = lambda: "overridden"


def add_route(app: FastAPI) -> None:
    first: FastAPI = app.state.first

    @first.get("/added")
    async def added() -> str:
        return "added"


def replace_mounted(app: FastAPI) -> None:
    mount = next(route for route in app.router.routes if getattr(route, "path", "") == "/first")
    mount.app = make_inner("another")  # type: ignore[attr-defined]


def rebuild(app: FastAPI) -> None:
    async def handle(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse("handled later", 463)

    app.state.first.add_exception_handler(Unhandled, handle)
    app.state.first.middleware_stack = app.state.first.build_middleware_stack()


app = make()

PLACES = ("/first", "/first/deep", "/second", "/with/x", "/limited")

CASES = [
    *(
        step
        for place in PLACES
        for step in (
            case(
                f"{place}: what is in the scope",
                get(f"{place}/tell/a"),
                get(f"{place}/router/tell/a"),
                get(f"{place}/last"),
            ),
            case(
                f"{place}: parameters, dependencies, threads",
                get(f"{place}/item/1"),
                get(f"{place}/item/x", 422),
                get(f"{place}/thread?q=2"),
                get(f"{place}/task"),
            ),
            case(
                f"{place}: a form",
                post(
                    f"{place}/form",
                    200,
                    "name=a",
                    ("content-type", "application/x-www-form-urlencoded"),
                ),
            ),
            case(
                f"{place}: no route",
                get(f"{place}/absent", 404),
                get(f"{place}/", 404),
                get(f"{place}/thread/", 307),
                send("DELETE", f"{place}/thread", 405),
                get(f"{place}/openapi.json"),
            ),
            case(
                f"{place}: exceptions that it handles",
                get(f"{place}/raise/http", 418),
                get(f"{place}/raise/odd", 460),
                get(f"{place}/raise/very", 460),
            ),
            case(
                f"{place}: exceptions that go outward",
                get(f"{place}/raise/unhandled", 500, raises="Unhandled"),
                get(f"{place}/invalid", 500, raises="ResponseValidationError"),
            ),
            case(
                f"{place}: one that another application handles too late",
                get(f"{place}/raise/lookup", 500, raises="RuntimeError"),
            ),
        )
    ),
    case("the mount alone", get("/first", 307), get("/firstly", 404), get("/first//item/1", 404)),
    case("an override", get("/first/overridden"), override, get("/first/overridden")),
    case("a route", get("/first/added", 404), add_route, get("/first/added")),
    case("another application", get("/first/last"), replace_mounted, get("/first/last")),
    case(
        "a handler",
        get("/first/raise/unhandled", 500, raises="Unhandled"),
        rebuild,
        get("/first/raise/unhandled", 463),
    ),
]
