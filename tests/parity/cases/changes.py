"""Applications that change while they serve."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Route

from tests.parity.cases.case import case, get, post
from tests.parity.cases.mounts import FRONTEND
from tests.parity.generated.prelude import Odd


async def dependency(q: int = 1) -> int:
    return q


async def replacement(other: str = "replaced") -> str:
    return other


def make() -> FastAPI:
    app = FastAPI()
    router = APIRouter(prefix="/router")

    @app.get("/item")
    async def item(value: Annotated[Any, Depends(dependency)]) -> Any:
        return value

    @app.get("/odd")
    async def odd() -> None:
        raise Odd("odd")

    @router.get("/known")
    async def known() -> str:
        return "known"

    app.include_router(router)
    app.state.router = router
    return app


def override(app: FastAPI) -> None:
    app.dependency_overrides[dependency] = replacement


def no_override(app: FastAPI) -> None:
    app.dependency_overrides.clear()


def add_route(app: FastAPI) -> None:
    @app.get("/added")
    async def added() -> str:
        return "added"


def add_to_router(app: FastAPI) -> None:
    router: APIRouter = app.state.router

    @router.get("/added")
    async def added() -> str:
        return "added to the router"


def put_first(app: FastAPI) -> None:
    add_route(app)
    route = app.router.routes.pop()
    item = next(route for route in app.router.routes if getattr(route, "path", "") == "/item")
    route.path_regex = item.path_regex  # type: ignore[attr-defined]
    app.router.routes.insert(0, route)


def remove_route(app: FastAPI) -> None:
    app.router.routes[:] = [
        route for route in app.router.routes if getattr(route, "path", "") != "/item"
    ]


def add_handler(app: FastAPI) -> None:
    async def handle(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"handled": str(error)}, 460)

    app.add_exception_handler(Odd, handle)
    # It counts from when the stack is built anew.
    app.middleware_stack = app.build_middleware_stack()


async def own_answer(request: Request, error: Exception) -> JSONResponse:
    """A handler that tells what it finds in the scope."""
    seen = sorted(set(request.scope) - {"asgi", "state", "client", "server"})
    return JSONResponse([str(error), seen, error.__traceback__ is not None], 461)


def add_status_handlers(app: FastAPI) -> None:
    exceptions_of(app)._status_handlers[404] = own_answer
    exceptions_of(app)._status_handlers[405] = own_answer


def replace_class_handler(app: FastAPI) -> None:
    exceptions_of(app)._exception_handlers[HTTPException] = own_answer


def exceptions_of(app: FastAPI) -> Any:
    """Its `ExceptionMiddleware`, whose handlers count from the next request on."""
    layer: Any = app.middleware_stack or app.build_middleware_stack()
    app.middleware_stack = layer
    while not isinstance(layer, ExceptionMiddleware):
        layer = layer.app
    return layer


def replace_dependency(app: FastAPI) -> None:
    route_of(app, "/item").dependant.dependencies[0].call = lambda q: ["replaced", q]


def wrap_route(app: FastAPI) -> None:
    route_of(app, "/item").app = PlainTextResponse("wrapped")


def replace_in_place(app: FastAPI) -> None:
    routes = app.router.routes
    routes[routes.index(route_of(app, "/item"))] = Route("/new", own_route)


async def own_route(request: Request) -> PlainTextResponse:
    return PlainTextResponse("a route of Starlette")


def route_of(app: FastAPI, path: str) -> Any:
    return next(route for route in app.router.routes if getattr(route, "path", "") == path)


def no_redirects(app: FastAPI) -> None:
    app.router.redirect_slashes = False


def own_default(app: FastAPI) -> None:
    app.router.default = PlainTextResponse("nothing here", 462)


def add_frontend(app: FastAPI) -> None:
    app.frontend("/router", directory=FRONTEND)


def replace_endpoint(app: FastAPI) -> None:
    async def replaced() -> PlainTextResponse:
        return PlainTextResponse("replaced")

    route = route_of(app, "/item")
    route.dependant.call = replaced
    route.dependant.dependencies.clear()


def debug(app: FastAPI) -> None:
    app.debug = True
    app.middleware_stack = app.build_middleware_stack()


app = make()

CASES = [
    case("an override", get("/item?q=5"), override, get("/item?q=5"), get("/item?other=a")),
    case("no override any more", override, get("/item"), no_override, get("/item?q=6")),
    case("a route", get("/added", 404), add_route, get("/added"), get("/item")),
    case("a route of a router", get("/router/added", 404), add_to_router, get("/router/added")),
    case("a route that is gone", get("/item"), remove_route, get("/item", 404)),
    case("a route before the others", get("/router/known"), put_first, get("/item")),
    case("a handler", get("/odd", 500, raises="Odd"), add_handler, get("/odd", 460)),
    case(
        "handlers for 404 and 405",
        get("/absent", 404),
        post("/item", 405, ""),
        add_status_handlers,
        get("/absent", 461),
        post("/item", 461, ""),
        post("/router/known", 461, ""),
    ),
    case(
        "a handler for the class of 404",
        get("/absent", 404),
        replace_class_handler,
        get("/absent", 461),
        post("/router/known", 461, ""),
    ),
    case("no redirects", get("/item/", 307), no_redirects, get("/item/", 404)),
    case(
        "a default", get("/absent", 404), own_default, get("/absent", 462), post("/item", 405, "")
    ),
    case("an endpoint", get("/item?q=7"), replace_endpoint, get("/item")),
    case("what is depended on", get("/item?q=7"), replace_dependency, get("/item?q=7")),
    case("the application of a route", get("/item"), wrap_route, get("/item")),
    case("a route in its place", get("/item"), replace_in_place, get("/item", 404), get("/new")),
    case("one that was not asked for", get("/new", 404), replace_in_place, get("/new")),
    case("debugging", get("/odd", 500, raises="Odd"), debug, get("/odd", 500, raises="Odd")),
]

if hasattr(FastAPI, "frontend"):
    CASES.append(
        case("a frontend", get("/router/file.txt", 404), add_frontend, get("/router/file.txt"))
    )
