"""The middleware stack of an application: what a request passes before it is routed."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from andon import _andon
from andon.native.framework import Framework
from andon.native.known_layers import Layer
from andon.native.layers import Dispatchers, dispatchers_of, known_layers, original
from andon.native.limits import unwrapped
from andon.native.understanding import NotUnderstood

# From the outside in. Some are only there in newer releases.
_OUTER = ("ServerErrorMiddleware", "ExceptionTelemetryMiddleware", "AppBodyLimitMiddleware")
_INNER = ("ExceptionMiddleware", "AsyncExitStackMiddleware")

# More objects than a stack has; what refers to so many is something else.
_MOST_OBJECTS = 10_000


@dataclass(frozen=True)
class Stack:
    """The live stack of an application.

    ``exceptions`` is the layer that knows the exception handlers, ``innermost`` what the framework
    has put behind it. ``names`` are those of the application's own middleware, the outermost first.
    ``spliced``: some of it runs as it is. ``layers`` are those directly around ``exceptions`` that
    Rust does itself: all of them, or those inside of ``dispatchers``, of which Rust can run what is
    not the application's own code.
    """

    exceptions: Any
    innermost: Any
    names: list[str]
    spliced: bool
    dispatchers: Dispatchers | None
    layers: list[Layer]


def stack_of(app: Any, framework: Framework) -> Stack:
    """Look into the stack of an application.

    Raises `NotUnderstood` if it is not as FastAPI builds it around the application's middleware.
    """
    if app.middleware_stack is None:
        # What the first request would do otherwise.
        app.middleware_stack = app.build_middleware_stack()
    names = [_name(each) for each in app.user_middleware]
    outer = _outer_layers(app, framework)
    path = _path(app, framework, original(unwrapped(outer[-1].app)[0]))
    if path is None:
        told = f"middleware {', '.join(names)} hides what it wraps" if names else "it was changed"
        raise NotUnderstood(f"its middleware stack: {told}")
    exceptions = path[-1]
    if outer[0].debug or exceptions.debug:
        raise NotUnderstood("`debug` is on")
    layers = known_layers(path)
    spliced = bool(names) and len(layers) < len(path) - 1
    around = [*outer, *path[: len(path) - len(layers)]]
    dispatchers = dispatchers_of(around) if spliced else None
    if spliced and dispatchers is None:
        layers = []
    return Stack(exceptions, _behind(exceptions), names, spliced, dispatchers, layers)


def handlers_of(exceptions: Any) -> tuple[dict[Any, Any], dict[int, Any]]:
    """Return the live dictionaries of that layer: handlers by class of exception, and by status."""
    return exceptions._exception_handlers, exceptions._status_handlers


def _outer_layers(app: Any, framework: Framework) -> list[Any]:
    layers: list[Any] = []
    layer = app.middleware_stack
    for name in _OUTER:
        owner = getattr(framework.applications, name, None)
        if owner is not None and type(layer) is owner:
            layers.append(layer)
            layer = layer.app
    if [type(layer).__name__ for layer in layers[:1]] != [_OUTER[0]]:
        raise NotUnderstood("its middleware stack was changed")
    return layers


def _path(app: Any, framework: Framework, outermost: Any) -> list[Any] | None:
    """Return the application's middleware down to the `ExceptionMiddleware`; `None`: not found."""
    if not app.user_middleware:
        return [outermost] if _is_bottom(app, framework, outermost) else None
    seen: set[int] = set()
    waiting: list[list[Any]] = [[outermost]]
    while waiting and len(seen) < _MOST_OBJECTS:
        path = waiting.pop()
        layer = path[-1]
        if id(layer) in seen or layer is app or layer is app.router:
            continue
        seen.add(id(layer))
        if _is_bottom(app, framework, layer):
            return path
        waiting.extend([*path, original(inner)] for inner in reversed(list(_wrapped(layer))))
    return None


def _is_bottom(app: Any, framework: Framework, layer: Any) -> bool:
    """Whether a layer is the `ExceptionMiddleware` around this application's router."""
    known = [getattr(framework.applications, name, None) for name in _INNER]
    if type(layer) is not known[0]:
        return False
    innermost = _behind(layer)
    return type(innermost) is known[1] and innermost.app is app.router


def _behind(exceptions: Any) -> Any:
    """Return what the framework has put behind its `ExceptionMiddleware`."""
    app = exceptions.app
    return app.app if type(app) is _andon.NativeCore else app


def _wrapped(layer: Any) -> Iterator[Any]:
    """Yield what a middleware may call: mostly its ``app``, else all that it has."""
    if isinstance(layer, FunctionType):
        yield from _callables(_contents(layer))
        return
    found = getattr(layer, "app", None)
    if found is not None:
        yield found
    yield from _callables(getattr(layer, "__dict__", {}).values())


def _contents(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            # It is not set yet.
            continue


def _callables(values: Any) -> Iterator[Any]:
    for value in values:
        if callable(value) and not isinstance(value, type | ModuleType):
            yield value


def _name(middleware: Any) -> str:
    """Name a middleware; of `@app.middleware` the function."""
    dispatch = middleware.kwargs.get("dispatch") if isinstance(middleware.kwargs, dict) else None
    named = dispatch or middleware.cls
    return str(getattr(named, "__name__", type(named).__name__))
