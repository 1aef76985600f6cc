"""Why routes are left to ASGI."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from unittest import mock

import pytest
from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    Request,
    Response,
)
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse
from starlette import convertors
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Match, Route

from tests.support.inspecting import Found, application, endpoint

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


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


# --- routes of Starlette


class Around:
    """Does nothing around an application."""

    def __init__(self, app: Any) -> None:
        self.app = app


class HandlingItself(Route):
    """Handles requests itself."""

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Do as Starlette does."""
        await super().handle(scope, receive, send)


def test_a_route_of_starlette_is_native_if_it_is_a_plain_function() -> None:
    app = application()
    app.add_route("/plain", lambda request: PlainTextResponse("plain"))
    app.router.routes.append(Route("/class", HTTPEndpoint))
    app.router.routes.append(Route("/within", endpoint, middleware=[Middleware(Around)]))
    app.router.routes.append(HandlingItself("/handling", endpoint))
    found = Found(app)
    assert found.native("/plain").root.kind == "function"
    assert found.route("/plain").methods == ["GET", "HEAD"]
    told = "a route of Starlette that calls"
    assert found.reason("/class") == f"{told} `starlette.endpoints.HTTPEndpoint`"
    assert found.reason("/within") == f"{told} `{__name__}.Around`"
    assert found.reason("/handling") == "its class has a `handle` of its own"
    assert found.route("/handling").refused is None
    assert found.route("/within").refused is not None
