"""The route table of a Starlette or FastAPI application, for the front.

Nothing of either framework is imported: an application is what has ``routes`` that look like
theirs. What does not look so is left out; the front then knows those requests by their paths only.
"""

import dis
import functools
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from andon.rules import Rule, rule_of

LIMIT = 1024

_DEPTH = 16
_GROUP_NAME = re.compile(r"\(\?P<[^>]+>")
_BELOW = "/{path}"
_BELOW_PATTERN = "/(?:.*)$"

# What a coroutine needs to wait: without it, it runs to its end in one step.
_SUSPENDING = frozenset(
    {
        "GET_AWAITABLE",
        "GET_AITER",
        "GET_ANEXT",
        "YIELD_VALUE",
        "YIELD_FROM",
        "BEFORE_ASYNC_WITH",
        "SETUP_ASYNC_WITH",
        "SEND",
    }
)


@dataclass(frozen=True)
class Route:
    """One route; the fields are those of the wire (`wire/routes.rs`)."""

    methods: list[str]
    pattern: str
    template: str
    endpoint: str
    websocket: bool
    mount: bool
    kind: str
    rule: Rule | None


def table(application: object) -> list[Route]:
    """Return the routes in the order in which the application tries them, at most `LIMIT`."""
    found: list[Route] = []
    for place in _walk(_routes_of(application), "", "", 0):
        if len(found) == LIMIT:
            break
        described = _describe(place) if _has_endpoint(place.route) else _describe_mount(place)
        if described is not None:
            found.append(described)
    return found


def endpoints(application: object) -> Iterator[Any]:
    """Yield every route object of the application, those of mounts and included routers too."""
    for place in _walk(_routes_of(application), "", "", 0):
        yield place.route


def is_offloadable(endpoint: object) -> bool:
    """Whether it is an ``async def`` whose code cannot suspend.

    A ``def`` may be marked as a coroutine function; nothing is known of what it returns.
    """
    code = getattr(endpoint, "__code__", None)
    if not isinstance(code, CodeType) or not code.co_flags & inspect.CO_COROUTINE:
        return False
    return _is_coroutine(endpoint) and _cannot_suspend(code)


@functools.lru_cache(maxsize=4 * LIMIT)
def _cannot_suspend(code: CodeType) -> bool:
    return all(instruction.opname not in _SUSPENDING for instruction in dis.get_instructions(code))


def _routes_of(application: object) -> Iterable[Any]:
    """Find the routes, also under middleware that wraps the application by hand."""
    for _ in range(_DEPTH):
        routes = getattr(application, "routes", None)
        if isinstance(routes, list | tuple):
            return routes
        application = getattr(application, "app", None)
        if application is None:
            break
    return ()


@dataclass(frozen=True)
class _Found:
    """A route object of an application, with pattern and template of the mounts around it."""

    route: Any
    pattern: str
    template: str


def _walk(routes: Iterable[Any], pattern: str, template: str, depth: int) -> Iterator[_Found]:
    """Yield all routes in the order in which the application tries them, a mount after its own."""
    for route in routes:
        if depth == _DEPTH:
            return
        contexts = getattr(route, "effective_route_contexts", None)
        if callable(contexts):
            # FastAPI from 0.137 keeps included routers as a tree, and tells what is in effect.
            for context in contexts():
                starlette_route = getattr(context, "starlette_route", None)
                yield from _walk([starlette_route or context], pattern, template, depth + 1)
            continue
        if not _has_endpoint(route):
            below = _routes_of(getattr(route, "app", None))
            yield from _walk(below, *_around(route, pattern, template), depth + 1)
        yield _Found(route, pattern, template)


def _around(route: Any, pattern: str, template: str) -> tuple[str, str]:
    """Return pattern and template of what is below a mount."""
    regex = _regex(route)
    if regex is None:
        # A host: what is below it is known by its paths alone.
        return pattern, template
    # Starlette makes `^/prefix/(?P<path>.*)$` of `/prefix`.
    below = _join(pattern, regex).removesuffix(_BELOW_PATTERN)
    return below, template + _template(route).removesuffix(_BELOW)


def _has_endpoint(route: Any) -> bool:
    return callable(getattr(route, "endpoint", None)) and _regex(route) is not None


def _regex(route: Any) -> str | None:
    regex = getattr(route, "path_regex", None)
    return regex.pattern if isinstance(regex, re.Pattern) else None


def _join(prefix: str, regex: str) -> str:
    """Put a route's pattern behind that of its mounts. Group names may repeat, so none stay."""
    regex = _GROUP_NAME.sub("(?:", regex)
    return f"{prefix}{regex.removeprefix('^')}" if prefix else regex


def _describe(place: _Found) -> Route | None:
    route = place.route
    regex = _regex(route)
    if regex is None:
        return None
    endpoint = route.endpoint
    methods = getattr(route, "methods", None)
    websocket = "WebSocket" in type(route).__name__
    return Route(
        methods=sorted(methods) if methods else [],
        pattern=_join(place.pattern, regex),
        template=place.template + _template(route),
        endpoint=_name(endpoint),
        websocket=websocket or _is_websocket_context(route),
        mount=False,
        kind=_kind(endpoint),
        rule=rule_of(endpoint),
    )


def _describe_mount(place: _Found) -> Route | None:
    regex, app = _regex(place.route), getattr(place.route, "app", None)
    if regex is None or app is None:
        return None
    _, template = _around(place.route, place.pattern, place.template)
    return Route(
        methods=[],
        pattern=_join(place.pattern, regex),
        template=f"{template}/{{path}}",
        endpoint=_name(app),
        websocket=False,
        mount=True,
        kind="unknown",
        rule=None,
    )


def _is_websocket_context(route: Any) -> bool:
    original = getattr(route, "original_route", None)
    return original is not None and "WebSocket" in type(original).__name__


def _template(route: Any) -> str:
    path = getattr(route, "path_format", None) or getattr(route, "path", "")
    return path if isinstance(path, str) else ""


def _name(endpoint: Any) -> str:
    named = endpoint
    while isinstance(named, functools.partial):
        named = named.func
    name = getattr(named, "__qualname__", None) or type(named).__qualname__
    module = getattr(named, "__module__", None) or type(named).__module__
    return f"{module}.{name}"


def _is_coroutine(function: object) -> bool:
    return inspect.iscoroutinefunction(function)


def _kind(endpoint: Any) -> str:
    """Say how Starlette and FastAPI run it: as `starlette._utils.is_async_callable` decides."""
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    if inspect.isclass(endpoint):
        return "unknown"
    if _is_coroutine(endpoint) or _is_coroutine(type(endpoint).__call__):
        return "offloadable" if is_offloadable(endpoint) else "coroutine"
    if inspect.isasyncgenfunction(endpoint):
        return "coroutine"
    return "function"
