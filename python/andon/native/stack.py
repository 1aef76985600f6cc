"""The middleware stack of an application: what a request passes before it is routed."""

from typing import Any

from andon.native.framework import Framework
from andon.native.understanding import NotUnderstood

# From the outside in. Some are only there in newer releases.
_OUTER = ("ServerErrorMiddleware", "ExceptionTelemetryMiddleware", "AppBodyLimitMiddleware")
_INNER = ("ExceptionMiddleware", "AsyncExitStackMiddleware")


def exception_middleware(app: Any, framework: Framework) -> Any:
    """Return the layer of an application's stack that knows its exception handlers.

    Raises `NotUnderstood` if the stack holds more than what FastAPI itself puts there.
    """
    if app.user_middleware:
        names = ", ".join(f"`{_name(each)}`" for each in app.user_middleware)
        raise NotUnderstood(f"middleware: {names}")
    if app.middleware_stack is None:
        # What the first request would do otherwise. Only the framework's own classes are made.
        app.middleware_stack = app.build_middleware_stack()
    classes = [getattr(framework.applications, name, None) for name in (*_OUTER, *_INNER)]
    layers: list[Any] = []
    layer = app.middleware_stack
    for owner in classes:
        if owner is not None and type(layer) is owner:
            layers.append(layer)
            layer = layer.app
    _check(app, layers, layer)
    return layers[-2]


def handlers_of(exceptions: Any) -> tuple[dict[Any, Any], dict[int, Any]]:
    """Return the live dictionaries of that layer: handlers by class of exception, and by status."""
    return exceptions._exception_handlers, exceptions._status_handlers


def _check(app: Any, layers: list[Any], innermost: Any) -> None:
    present = [type(layer).__name__ for layer in layers]
    if type(innermost).__name__ == "RequestBodyLimitMiddleware":
        raise NotUnderstood("`max_body_size` of the application")
    is_whole = present[:1] == [_OUTER[0]] and tuple(present[-2:]) == _INNER
    if innermost is not app.router or not is_whole:
        raise NotUnderstood("its middleware stack was changed")
    if layers[0].debug or layers[-2].debug:
        raise NotUnderstood("`debug` is on")


def _name(middleware: Any) -> str:
    """Name a middleware; of `@app.middleware` the function."""
    dispatch = middleware.kwargs.get("dispatch") if isinstance(middleware.kwargs, dict) else None
    named = dispatch or middleware.cls
    return str(getattr(named, "__name__", type(named).__name__))
