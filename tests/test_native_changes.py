"""What changes while an application runs: guards notice it, another inspection follows."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from andon.native import guards, inspect
from andon.native.description import Description
from andon.native.installation import Installation, install
from fastapi import APIRouter, Depends, FastAPI, routing
from opentelemetry import trace
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route

SECONDS = 10.0


async def endpoint() -> None:
    """Answers nothing."""


async def dependency() -> int:
    """To be overridden."""
    return 1


class Application(FastAPI):
    """An application with a route of its own and one of an included router."""

    def __init__(self) -> None:
        super().__init__(openapi_url=None)
        self.included = APIRouter()
        self.included.get("/included", dependencies=[Depends(dependency)])(endpoint)
        self.include_router(self.included)
        self.get("/")(endpoint)


@pytest.fixture
def app() -> Application:
    return Application()


def nothing(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change nothing."""


def override(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Override a dependency."""
    app.dependency_overrides[dependency] = lambda: 2


def replace_overrides(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Override a dependency by another dictionary."""
    app.dependency_overrides = {dependency: lambda: 2}


def add_route(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a route."""
    app.get("/added")(endpoint)


def add_included_route(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a route to a router that is included."""
    app.included.get("/added")(endpoint)


def add_router(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Include another router."""
    app.include_router(APIRouter())


def put_route(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a route in front of all others, past the framework."""
    app.router.routes.insert(0, Route("/", PlainTextResponse("mine")))


def replace_routes(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put another list of routes in the place of the one there is."""
    app.router.routes = list(reversed(app.router.routes))


def rebuild_stack(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build the middleware anew, as tools do that add to it."""
    app.middleware_stack = app.build_middleware_stack()


def replace_router(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put another router in the place of the one there is."""
    app.router = APIRouter()


def replace_function(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace a function of the framework, as tools do that watch applications."""
    monkeypatch.setattr(routing, "run_endpoint_function", lambda: None)


def set_up_telemetry(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure OpenTelemetry after the start."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", trace.NoOpTracerProvider())


def set_root_path(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell under which path the application is reached."""
    app.root_path = "/api"


def replace_call(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what an endpoint's dependant calls to something else."""
    last_route(app).dependant.call = dependency


def replace_call_of_dependency(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise, of what a route of an included router depends on."""
    (context,) = included_router(app).effective_candidates()
    context.dependant.dependencies[0].call = endpoint


def drop_dependency(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a dependency away."""
    (context,) = included_router(app).effective_candidates()
    context.dependant.dependencies.clear()


def wrap_application_of_route(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put something before the handler of a route."""
    last_route(app).app = PlainTextResponse("mine")


def replace_route_in_place(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put another route in the place of one."""
    app.router.routes[-1] = Route("/", PlainTextResponse("mine"))


def replace_default(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer differently what no route takes."""
    app.router.default = PlainTextResponse("nothing")


def wrap_router(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put something before the application's router."""
    app.router.middleware_stack = PlainTextResponse("mine")


def redirect_no_more(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave slashes as they are."""
    app.router.redirect_slashes = False


def replace_json(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read JSON with another function."""
    monkeypatch.setattr("json.loads", lambda text: {})


def last_route(app: Application) -> Any:
    return app.router.routes[-1]


def included_router(app: Application) -> Any:
    return app.router.routes[0]


@pytest.mark.parametrize(
    "change",
    [
        override,
        replace_overrides,
        add_route,
        add_included_route,
        add_router,
        put_route,
        replace_routes,
        rebuild_stack,
        replace_router,
        replace_function,
        set_up_telemetry,
        set_root_path,
        replace_call,
        replace_call_of_dependency,
        drop_dependency,
        wrap_application_of_route,
        replace_route_in_place,
        replace_default,
        redirect_no_more,
        wrap_router,
        replace_json,
    ],
)
def test_a_guard_notices_a_change(
    app: Application,
    change: Callable[[Application, pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = inspect(app).watched()
    assert guards.hold(found)
    change(app, monkeypatch)
    assert not guards.hold(found)


def test_overrides_that_are_gone_are_no_change(app: Application) -> None:
    found = inspect(app).guards
    app.dependency_overrides[dependency] = lambda: 2
    app.dependency_overrides.clear()
    assert guards.hold(found)


def test_guards_of_an_unchanged_application_are_the_same(app: Application) -> None:
    first = inspect(app).watched()
    assert guards.are_same(first, inspect(app).watched())
    app.get("/added")(endpoint)
    assert not guards.are_same(first, inspect(app).watched())


class Target:
    """Takes plans as a worker does."""

    def __init__(self) -> None:
        self.plans: list[tuple[str, list[Any], list[guards.Guard], Any]] = []
        self.came = asyncio.Event()

    def set_native(
        self, description: str, objects: list[Any], guards: list[guards.Guard], calls: Any
    ) -> None:
        """Keep the plan."""
        self.plans.append((description, objects, guards, calls))
        self.came.set()

    async def next_plan(self) -> str:
        """Wait for a plan and return its description."""
        await asyncio.wait_for(self.came.wait(), SECONDS)
        self.came.clear()
        return self.plans[-1][0]


def test_a_plan_is_handed_over_with_what_it_needs(app: Application) -> None:
    target = Target()
    asyncio.run(install(target, app, "auto"))
    ((description, objects, found, calls),) = target.plans
    assert '"/included"' in description
    assert app in objects
    assert guards.hold(found)
    assert calls.app is app
    assert HTTPException in calls.exception_handlers
    assert calls.status_handlers == {}


def test_an_application_that_is_left_to_asgi_gets_no_plan(app: Application) -> None:
    target = Target()
    app.debug = True
    asyncio.run(install(target, app, "auto"))
    assert target.plans == []


def test_a_failure_is_told_and_no_more(
    app: Application, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Target):
        def set_native(self, *_: Any) -> None:
            raise ValueError("the plan cannot be compiled")

    monkeypatch.setattr("andon.native.installation.logger.propagate", True)
    asyncio.run(install(Failing(), app, "auto"))
    assert "no route is served natively" in caplog.text


async def _installed(app: Application) -> tuple[Target, Installation]:
    target = Target()
    installation = Installation(target, app, "auto")
    installation.install()
    await target.next_plan()
    return target, installation


def test_a_change_is_followed_by_another_plan(app: Application) -> None:
    async def follow() -> None:
        target, installation = await _installed(app)
        app.get("/added")(endpoint)
        installation.changed()
        installation.changed()
        assert '"/added"' in await target.next_plan()
        assert len(target.plans) == 2

    asyncio.run(follow())


def test_a_reason_that_comes_up_later_leaves_all_to_asgi(app: Application) -> None:
    async def follow() -> None:
        target, installation = await _installed(app)
        app.debug = True
        app.middleware_stack = app.build_middleware_stack()
        installation.changed()
        assert await target.next_plan() == Description().to_json()

    asyncio.run(follow())


def test_what_changes_behind_overrides_is_found_as_well(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request is native while there are overrides, so nobody calls again."""
    monkeypatch.setattr("andon.native.installation._PAUSE", 0.0)

    async def follow() -> None:
        target, installation = await _installed(app)
        app.dependency_overrides[dependency] = lambda: 2
        installation.changed()
        app.get("/added")(endpoint)
        assert '"/added"' in await target.next_plan()
        app.get("/more")(endpoint)
        assert '"/more"' in await target.next_plan()
        app.dependency_overrides.clear()

    asyncio.run(follow())
