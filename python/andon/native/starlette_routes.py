"""Routes of Starlette in an application of FastAPI, such as its documentation and `app.add_route`.

Those whose endpoint is a function are native: it gets a `Request`, and what it returns is called as
the response. The truth is the closure that `starlette.routing.request_response` has made.
"""

import functools
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

from andon.native.description import CallKind, Native, ScopeObjects
from andon.native.framework import Framework, inner_code, is_untouched
from andon.native.guards import Guard
from andon.native.handlers import name_of
from andon.native.missed import called
from andon.native.objects import Objects
from andon.native.understanding import NotUnderstood


def native_of(
    route: Any, place: Guard, scope: ScopeObjects, objects: Objects, framework: Framework
) -> Native:
    """Describe a route; ``place``: that it is there, among the others.

    Raises `NotUnderstood` with the reason why it is the application's.
    """
    routing = framework.starlette_routing
    if not framework.release.routes_by_itself:
        raise NotUnderstood("a route of Starlette, for which this FastAPI has Starlette's router")
    if not is_untouched(route, routing.Route, "handle"):
        raise NotUnderstood("its class has a `handle` of its own")
    app = route.app
    outer = inner_code(routing.request_response, "app")
    if not isinstance(app, FunctionType) or app.__code__ is not outer:
        raise NotUnderstood(f"a route of Starlette that calls `{name_of(app)}`")
    (cell,) = app.__closure__ or ()
    kind, function = _function_in(cell, routing)
    guards = [place, (vars(route), "app", app), (cell, "cell_contents", cell.cell_contents)]
    return called(
        objects,
        _by_position(function),
        ("starlette", kind, _told(route.endpoint)),
        scope,
        request="request",
        guards=objects.number(guards),
    )


def _told(endpoint: Any) -> str:
    made_by_setup = getattr(endpoint, "__qualname__", "").startswith("FastAPI.setup.")
    return "FastAPI's documentation" if made_by_setup else name_of(endpoint)


def _function_in(cell: CellType, routing: Any) -> tuple[CallKind, Callable[..., Any]]:
    """Return how the endpoint is called: `async def` as it is, others on a thread."""
    function = cell.cell_contents
    if (
        type(function) is functools.partial
        and function.func is routing.run_in_threadpool
        and len(function.args) == 1
        and not function.keywords
    ):
        return "function", function.args[0]
    return "coroutine", function


def _by_position(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose parameter has the name that the plan passes it by."""

    def by_position(request: Any) -> Any:
        return function(request)

    return by_position
