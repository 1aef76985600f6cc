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
    for route in _walk(_routes_of(application), "", "", 0):
        if len(found) == LIMIT:
            break
        found.append(route)
    return found


def endpoints(application: object) -> Iterator[Any]:
    """Yield every route object of the application, those of mounts and included routers too."""
    yield from _flat(_routes_of(application), 0)


def is_offloadable(endpoint: object) -> bool:
    """Whether it is an ``async def`` whose code cannot suspend."""
    code = getattr(endpoint, "__code__", None)
    return _is_coroutine(endpoint) and isinstance(code, CodeType) and _cannot_suspend(code)


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


def _flat(routes: Iterable[Any], depth: int) -> Iterator[Any]:
    for route in routes:
        if depth == _DEPTH:
            return
        contexts = getattr(route, "effective_route_contexts", None)
        if callable(contexts):
            for context in contexts():
                starlette_route = getattr(context, "starlette_route", None)
                yield from _flat([starlette_route or context], depth + 1)
            continue
        yield route
        if not _has_endpoint(route):
            yield from _flat(_routes_of(getattr(route, "app", None)), depth + 1)


def _walk(routes: Iterable[Any], pattern: str, template: str, depth: int) -> Iterator[Route]:
    """Yield routes; ``pattern`` and ``template`` are those of the mounts around them."""
    for route in routes:
        if depth == _DEPTH:
            return
        contexts = getattr(route, "effective_route_contexts", None)
        if callable(contexts):
            # FastAPI from 0.137 keeps included routers as a tree, and tells what is in effect.
            for context in contexts():
                starlette_route = getattr(context, "starlette_route", None)
                yield from _walk([starlette_route or context], pattern, template, depth + 1)
        elif _has_endpoint(route):
            described = _describe(route, pattern, template)
            if described is not None:
                yield described
        else:
            yield from _mounted(route, pattern, template, depth)


def _has_endpoint(route: Any) -> bool:
    return callable(getattr(route, "endpoint", None)) and _regex(route) is not None


def _regex(route: Any) -> str | None:
    regex = getattr(route, "path_regex", None)
    return regex.pattern if isinstance(regex, re.Pattern) else None


def _join(prefix: str, regex: str) -> str:
    """Put a route's pattern behind that of its mounts. Group names may repeat, so none stay."""
    regex = _GROUP_NAME.sub("(?:", regex)
    return f"{prefix}{regex.removeprefix('^')}" if prefix else regex


def _describe(route: Any, pattern: str, template: str) -> Route | None:
    regex = _regex(route)
    if regex is None:
        return None
    endpoint = route.endpoint
    methods = getattr(route, "methods", None)
    websocket = "WebSocket" in type(route).__name__
    return Route(
        methods=sorted(methods) if methods else [],
        pattern=_join(pattern, regex),
        template=template + _template(route),
        endpoint=_name(endpoint),
        websocket=websocket or _is_websocket_context(route),
        mount=False,
        kind=_kind(endpoint),
        rule=rule_of(endpoint),
    )


def _is_websocket_context(route: Any) -> bool:
    original = getattr(route, "original_route", None)
    return original is not None and "WebSocket" in type(original).__name__


def _template(route: Any) -> str:
    path = getattr(route, "path_format", None) or getattr(route, "path", "")
    return path if isinstance(path, str) else ""


def _mounted(route: Any, pattern: str, template: str, depth: int) -> Iterator[Route]:
    regex = _regex(route)
    app = getattr(route, "app", None)
    if app is None:
        return
    if regex is None:
        # A host: what is below it is known by its paths alone.
        if hasattr(route, "host"):
            yield from _walk(_routes_of(app), pattern, template, depth + 1)
        return
    # Starlette makes `^/prefix/(?P<path>.*)$` of `/prefix`.
    below = _join(pattern, regex).removesuffix(_BELOW_PATTERN)
    path = template + _template(route).removesuffix(_BELOW)
    yield from _walk(_routes_of(app), below, path, depth + 1)
    yield Route(
        methods=[],
        pattern=_join(pattern, regex),
        template=f"{path}/{{path}}",
        endpoint=_name(app),
        websocket=False,
        mount=True,
        kind="unknown",
        rule=None,
    )


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
