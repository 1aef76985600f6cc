"""Why routes, or whole applications, are left to ASGI."""

import functools
import json
import re
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Annotated, Any
from unittest import mock

import andon.native
import pydantic_core
import pytest
from andon import offload
from andon.native import digests, inspect
from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    Request,
    Response,
    routing,
)
from fastapi.dependencies import utils
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse
from starlette import convertors
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute, Host, Match, Route

from tests.support.inspecting import Found

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


async def endpoint() -> None:
    """Answers nothing."""


def application(**settings: Any) -> FastAPI:
    """An application with one route that could be native."""
    app = FastAPI(openapi_url=None, **settings)
    app.get("/")(endpoint)
    return app


# --- routes


class Unhashable:
    """A dependency that cannot be found in a cache."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self) -> None:
        """Return nothing."""


async def depends_on_unhashable(_: Annotated[None, Depends(Unhashable())]) -> None:
    """Fails whenever it is called."""


@pytest.mark.parametrize(
    ("function", "options", "reason"),
    [
        (
            endpoint,
            {"response_class": EventSourceResponse},
            "server-sent events of an endpoint that is no generator",
        ),
        (endpoint, {"status_code": 1000}, "a status that is no status of HTTP"),
        (depends_on_unhashable, {}, "a dependency that cannot be hashed"),
    ],
)
def test_a_route_that_needs_more_is_the_applications(
    function: Callable[..., Any], options: dict[str, Any], reason: str
) -> None:
    app = application()
    app.post("/more", **options)(function)
    found = Found(app)
    assert found.reason("/more") == reason
    assert found.native("/").tier == 1


class Timed(APIRoute):
    """Wraps the handler of its routes."""

    def get_route_handler(self) -> Handler:
        """Do nothing more than pass the request on."""
        original = super().get_route_handler()

        async def timed(request: Request) -> Response:
            return await original(request)

        return timed


class Named(APIRoute):
    """Changes nothing of how requests are handled."""


class Handling(APIRoute):
    """Handles requests itself."""

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        await PlainTextResponse("handled")(scope, receive, send)


@pytest.mark.parametrize(
    ("route_class", "reason"),
    [
        (Timed, "its handler is wrapped by `tests.test_native_reasons.Timed."),
        (Handling, "its class has a `handle` of its own"),
    ],
)
def test_a_class_of_routes_with_code_of_its_own_is_the_applications(
    route_class: type[APIRoute], reason: str
) -> None:
    app, router = application(), APIRouter(route_class=route_class)
    router.get("/own")(endpoint)
    app.include_router(router)
    assert Found(app).reason("/own").startswith(reason)


def test_a_class_of_routes_without_code_of_its_own_is_native() -> None:
    app = application()
    app.router.route_class = Named
    app.get("/named")(endpoint)
    assert Found(app).native("/named").tier == 1


def test_a_route_that_a_tool_has_wrapped_is_the_applications() -> None:
    app = application()
    route = app.router.routes[-1]
    assert isinstance(route, APIRoute)
    original = route.app

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        await original(scope, receive, send)

    route.app = watched
    assert "its application is wrapped by" in Found(app).reason("/")


def test_overrides_of_another_application_are_not_followed() -> None:
    app, other = application(), FastAPI()
    app.router.dependency_overrides_provider = other
    app.get("/other")(endpoint)
    assert Found(app).reason("/other") == "dependency overrides that are not the application's"


# --- what may take any path


class Matching(APIRoute):
    """Says itself which requests it takes."""

    def matches(self, scope: Any) -> tuple[Match, Any]:
        """Take what the framework takes."""
        return super().matches(scope)


class Unknown(BaseRoute):
    """A route of the application's own kind."""

    def matches(self, scope: Any) -> tuple[Match, Any]:
        """Take nothing."""
        return Match.NONE, {}


def host(app: FastAPI) -> None:
    """Serve another application under another name."""
    app.router.routes.append(Host("api.example.org", Starlette()))


def matching(app: FastAPI) -> None:
    """Add a route that decides itself."""
    app.router.routes.append(Matching("/matching", endpoint))


def unknown(app: FastAPI) -> None:
    """Add a route of an unknown kind."""
    app.router.routes.append(Unknown())


def repatterned(app: FastAPI) -> None:
    """Change what a route matches, but not its path."""
    app.get("/before")(endpoint)
    route: Any = app.router.routes[-1]
    route.path_regex = Route("/after", endpoint).path_regex


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (host, "depends on the host"),
        (matching, "its class has a `matches` of its own"),
        (unknown, "a route of the class `Unknown`"),
        (repatterned, "its pattern is not that of its path"),
    ],
)
def test_a_route_that_may_take_any_path_is_a_barrier(
    change: Callable[[FastAPI], None], reason: str
) -> None:
    app = application()
    change(app)
    (barrier,) = Found(app).inspection.description.routes[1:]
    assert type(barrier.serve).__name__ == "Barrier"
    assert getattr(barrier.serve, "reason", None) == reason


class Even(convertors.Convertor[int]):
    """Matches what Starlette's own convertors do not."""

    regex = "[02468]+"

    def convert(self, value: str) -> int:
        """Return a number."""
        return int(value)


def test_a_convertor_of_ones_own_is_told_as_one_that_takes_everything() -> None:
    with mock.patch.dict(convertors.CONVERTOR_TYPES, even=Even()):
        app = application()
        app.get("/even/{number:even}/{text}")(endpoint)
    found = Found(app)
    told = "/even/{number:path}/{text:str}"
    assert found.reason(told) == "a path convertor of the application's own"


def test_a_convertor_that_replaces_one_of_starlettes_is_seen() -> None:
    with mock.patch.dict(convertors.CONVERTOR_TYPES, int=Even()):
        app = application()
        app.get("/{number:int}")(endpoint)
    assert Found(app).reason("/{number:path}") == "a path convertor of the application's own"


def test_a_route_of_starlette_is_native_if_it_is_a_plain_function() -> None:
    app = application()
    app.add_route("/plain", lambda request: PlainTextResponse("plain"))
    app.router.routes.append(Route("/class", HTTPEndpoint))
    app.router.routes.append(Route("/within", endpoint, middleware=[Middleware(Around)]))
    app.router.routes.append(Handling("/handling", endpoint))
    found = Found(app)
    assert found.native("/plain").root.kind == "function"
    assert found.route("/plain").methods == ["GET", "HEAD"]
    told = "a route of Starlette that calls"
    assert found.reason("/class") == f"{told} `starlette.endpoints.HTTPEndpoint`"
    assert found.reason("/within") == f"{told} `{__name__}.Around`"
    assert found.reason("/handling") == "its class has a `handle` of its own"
    assert found.route("/handling").refused is None
    assert found.route("/within").refused is not None


# --- applications


class Handled(FastAPI):
    """Handles requests itself."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on."""
        await super().__call__(scope, receive, send)


class Around:
    """Does nothing around an application."""

    def __init__(self, app: Any) -> None:
        self.app = app


class Handling(Route):
    """Handles requests itself."""

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Do as Starlette does."""
        await super().handle(scope, receive, send)


class Kept(FastAPI):
    """Changes nothing of how requests are handled."""


def with_middleware() -> FastAPI:
    """An application with middleware of two kinds."""
    app = application()
    app.add_middleware(CORSMiddleware)

    @app.middleware("http")
    async def watch(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        return response

    return app


def hidden_stack() -> FastAPI:
    """An application whose middleware keeps what it wraps where nobody finds it."""
    app = application()
    kept: dict[str, Any] = {}

    def hiding(inner: Any) -> Any:
        kept["app"] = inner

        async def call(scope: Any, receive: Any, send: Any) -> None:
            await kept["app"](scope, receive, send)

        return call

    app.add_middleware(hiding)
    return app


def wrapped_stack() -> FastAPI:
    """An application whose stack a tool has wrapped."""
    app = application()
    app.middleware_stack = CORSMiddleware(app.build_middleware_stack())
    return app


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: application(debug=True), "`debug` is on"),
        (hidden_stack, "its middleware stack: middleware hiding hides what it wraps"),
        (wrapped_stack, "its middleware stack was changed"),
        (lambda: Handled(), "`Handled` handles requests by methods of its own"),
        (lambda: Starlette(), "the application is no FastAPI() but a `Starlette`"),
        (
            lambda: CORSMiddleware(FastAPI()),
            "the application is no FastAPI() but a `CORSMiddleware`",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_application_with_more_around_its_routes_is_left_to_asgi(
    make: Callable[[], Any], reason: str
) -> None:
    inspection = inspect(make())
    assert inspection.reason == reason
    assert inspection.count() == 0
    with pytest.raises(ValueError, match=re.escape(reason)):
        inspection.calls(lambda: None)


def test_native_routes_are_told_with_the_middleware_around_them() -> None:
    inspection = inspect(with_middleware())
    assert inspection.reason is None
    assert inspection.count() == len(inspection.description.routes)
    assert inspection.middleware() == ", under middleware watch, CORSMiddleware"


class Watched(GZipMiddleware):
    """A class of the application's own."""


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        ((GZipMiddleware, CORSMiddleware), "CORSMiddleware, GZipMiddleware (native, too)"),
        ((Watched, CORSMiddleware), "CORSMiddleware, Watched"),
        ((CORSMiddleware, Watched), "Watched, CORSMiddleware"),
    ],
)
def test_a_stack_is_native_if_all_of_its_classes_are_known(
    classes: tuple[Any, ...], told: str
) -> None:
    app = application()
    for each in classes:
        app.add_middleware(each)
    assert inspect(app).middleware() == f", under middleware {told}"


def test_a_class_of_applications_without_code_of_its_own_is_native() -> None:
    app = Kept(openapi_url=None)
    app.get("/")(endpoint)
    assert Found(app).native("/").tier == 1


def test_routes_of_an_application_that_is_left_to_asgi_are_told_with_the_reason() -> None:
    assert Found(application(debug=True)).reason("/") == "`debug` is on"


def test_telemetry_is_noticed() -> None:
    app = application(telemetry={"tracer_provider": mock.Mock()})
    assert inspect(app).reason == "FastAPI's telemetry is on"


def test_native_routes_can_be_off() -> None:
    assert inspect(application(), "off").reason == "`--native off`"


# --- frameworks that were changed


def replaced() -> AbstractContextManager[Any]:
    """As tools do that watch applications: a wrapper that looks like what it wraps."""
    original = utils.solve_dependencies

    @functools.wraps(original)
    async def solve_dependencies(**keywords: Any) -> Any:
        return await original(**keywords)

    return mock.patch("fastapi.routing.solve_dependencies", solve_dependencies)


async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
    """Stands for a method of Starlette."""


class Wrapper:
    """Stands for a function, as wrapt's do."""

    def __call__(self, *_: Any) -> None:
        """Do nothing."""


def inherited() -> AbstractContextManager[Any]:
    """Replace what a class inherits in the class itself."""
    return mock.patch.object(APIRouter, "__call__", Wrapper())


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (replaced, "fastapi.routing.solve_dependencies"),
        (
            lambda: mock.patch.object(Starlette, "__call__", call),
            "starlette.applications.Starlette.__call__",
        ),
        (lambda: mock.patch.object(APIRoute, "handle"), "fastapi.routing.APIRoute.handle"),
        (
            lambda: mock.patch("fastapi.routing.jsonable_encoder"),
            "fastapi.routing.jsonable_encoder",
        ),
        (
            lambda: mock.patch.object(JSONResponse, "render"),
            "starlette.responses.JSONResponse.render",
        ),
        (lambda: mock.patch.object(Request, "json", call), "starlette.requests.Request.json"),
        (inherited, "fastapi.routing.APIRouter.__call__"),
        (lambda: mock.patch("json.dumps", call), "json.dumps"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_framework_that_was_changed_is_left_alone(
    change: Callable[[], AbstractContextManager[Any]], name: str
) -> None:
    app = application()
    with change():
        assert inspect(app).reason == f"`{name}` was replaced"
    assert inspect(app).reason is None


def test_what_andon_itself_replaces_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "run_endpoint_function", routing.run_endpoint_function)
    offload.install(mock.Mock(), mock.Mock(), application())
    assert routing.run_endpoint_function.__module__ == "andon.offload"
    assert inspect(application()).reason is None


# --- releases


def test_installed_releases_are_known() -> None:
    assert digests.unknown() is None


def test_an_unknown_release_is_served_natively_only_where_that_is_asked_for(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tmp_path / "digests.json"
    known.write_text('{"fastapi": {}, "starlette": {}}')
    monkeypatch.setattr(digests, "KNOWN", known)
    inspection = andon.native.inspect(application())
    assert inspection.is_unknown
    assert str(inspection.reason).startswith("FastAPI ")
    assert andon.native.inspect(application(), "unknown-ok").reason is None


def test_one_file_that_differs_makes_a_release_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {package: digests.digests_of(package) for package in ("fastapi", "starlette")}
    found["starlette"]["routing.py"] = "0" * 64
    monkeypatch.setattr(digests, "digests_of", found.get)
    assert str(digests.unknown()).startswith("Starlette ")


def test_releases_that_were_not_compared_beside_each_other_are_unknown(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = json.loads(digests.KNOWN.read_text())
    known["tested"] = {}
    changed = tmp_path / "digests.json"
    changed.write_text(json.dumps(known))
    monkeypatch.setattr(digests, "KNOWN", changed)
    assert "was not compared beside Starlette " in str(digests.unknown())


def test_a_reader_of_json_that_reads_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pydantic_core, "from_json", lambda text: float(json.loads(text) == 0))
    found = inspect(FastAPI())
    assert found.reason == "`pydantic_core.from_json` reads otherwise than `json.loads`"
