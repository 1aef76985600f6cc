"""What is looked at again for every request, because applications change while they run.

A guard is ``(dictionary, key, expected)``, ``(list, index, expected)`` or ``(object, attribute,
expected)``, which holds while the very object is there (in dictionaries, of integers: an equal
one), or ``(sized, length)``. Each costs some nanoseconds a request, so there are only those
for what applications and their tests do change: dependency overrides, routes, the middleware stack,
functions that tools replace, telemetry that is set up late. What concerns a single route is looked
at when a request takes that one.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from andon.native.framework import Framework
from andon.native.releases.included import watched
from andon.native.stack import handlers_of

Guard = tuple[Any, Any, Any] | tuple[Any, int]

# Replaced by tools that watch applications, and by tests.
_REPLACED = (
    "jsonable_encoder",
    "run_endpoint_function",
    "serialize_response",
    "solve_dependencies",
)
# What the router does with requests that no route takes.
_OF_ROUTER = ("default", "redirect_slashes")
# Native routes read and write JSON as these do.
_JSON = ("dumps", "loads")
# Where OpenTelemetry keeps the providers, and the setting of FastAPI's telemetry that uses each.
_PROVIDERS = (
    ("tracing", "opentelemetry.trace", "_TRACER_PROVIDER"),
    ("metrics", "opentelemetry.metrics._internal", "_METER_PROVIDER"),
    ("logs", "opentelemetry._logs._internal", "_LOGGER_PROVIDER"),
)


def guards_of(app: Any, routers: list[Any], exceptions: Any, framework: Framework) -> list[Guard]:
    """Return what must hold for what was found to be true; the likeliest to change come first."""
    attributes = vars(app)
    guards: list[Guard] = [
        (attributes, "dependency_overrides", app.dependency_overrides),
        # They are not part of what was found: where there are any, they are honoured by ASGI.
        (app.dependency_overrides, 0),
        (attributes, "middleware_stack", app.middleware_stack),
        (attributes, "router", app.router),
        (attributes, "root_path", app.root_path),
        (vars(app.router), "routes", app.router.routes),
        (vars(app.router), "middleware_stack", vars(app.router)["middleware_stack"]),
        (app.router.routes, len(app.router.routes)),
        # FastAPI itself notices a change of an included router by this number alone.
        *((vars(router), "_routes_version", router._routes_version) for router in routers),
        *((table, len(table)) for table in handlers_of(exceptions)),
    ]
    module = vars(framework.routing)
    guards.extend((module, name, module[name]) for name in _REPLACED)
    guards.extend((vars(json), name, vars(json)[name]) for name in _JSON)
    guards.extend(_telemetry(app))
    return guards


def guards_of_route(place: Guard, shape: Any, dependant: Any) -> list[Guard]:
    """Return what must hold for a single route. ``place``: that it is there, among the others."""
    return [place, *watched(shape), *_guards_of_dependant(dependant)]


def _guards_of_dependant(dependant: Any) -> Iterator[Guard]:
    yield (dependant, "call", dependant.call)
    yield (dependant.dependencies, len(dependant.dependencies))
    for each in dependant.dependencies:
        yield from _guards_of_dependant(each)


def guards_of_missed(router: Any) -> list[Guard]:
    """Return what must hold for it to be known what becomes of requests that no route takes."""
    attributes = vars(router)
    return [
        *((attributes, name, attributes[name]) for name in _OF_ROUTER),
        *((router.routes, index, route) for index, route in enumerate(router.routes)),
    ]


def hold(guards: list[Guard]) -> bool:
    """Whether all of them hold, as Rust finds out for every request."""
    return all(_holds(guard) for guard in guards)


def are_same(one: list[Guard], other: list[Guard]) -> bool:
    """Whether both look at the same things and expect the same."""
    if len(one) != len(other):
        return False
    return all(
        len(left) == len(right) and all(map(_is_same, left, right))
        for left, right in zip(one, other, strict=True)
    )


def _holds(guard: Guard) -> bool:
    if len(guard) == 2:
        return len(guard[0]) == guard[1]
    within, key, expected = guard
    if isinstance(within, dict):
        return _is_same(within.get(key), expected)
    if isinstance(within, list):
        return len(within) > key and within[key] is expected
    return getattr(within, key, None) is expected


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) is int and one == other)


def _telemetry(app: Any) -> list[Guard]:
    settings = getattr(app, "_telemetry", {})
    guards: list[Guard] = []
    for setting, module, name in _PROVIDERS:
        attributes = vars(sys.modules[module]) if module in sys.modules else {}
        if settings.get(setting) and name in attributes:
            guards.append((attributes, name, attributes[name]))
    return guards
