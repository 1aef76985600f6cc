"""The inspection of an application: what of it may be served natively, and what must be watched."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from andon.native import Mode, gate
from andon.native.calls import Calls
from andon.native.description import Description, Native, Opaque, Route
from andon.native.framework import Framework
from andon.native.guards import Guard, guards_of
from andon.native.missed import missed_of
from andon.native.stack import handlers_of
from andon.native.understanding import NotUnderstood
from andon.native.walk import Walk


@dataclass(frozen=True)
class Inspection:
    """What was found.

    ``reason`` is why the whole application is left to ASGI, `None`: it is not. ``is_unknown``: only
    because its framework is not among the known releases. ``exceptions`` is its
    `ExceptionMiddleware`, and nothing where there is a reason.
    """

    app: Any
    description: Description
    objects: list[Any]
    guards: list[Guard]
    reason: str | None
    is_unknown: bool
    exceptions: Any

    def calls(self, on_change: Callable[[], None]) -> Calls:
        """Return what the extension module needs beside the description.

        Raises `ValueError` where there is a reason.
        """
        if self.reason is not None:
            raise ValueError(self.reason)
        by_class, by_status = handlers_of(self.exceptions)
        return Calls(self.app, on_change, by_class, by_status)

    def count(self) -> int:
        """Return how many routes are native."""
        return sum(isinstance(route.serve, Native) for route in self.description.routes)


def inspect(app: Any, mode: Mode = "auto") -> Inspection:
    """Inspect an application that has started; its middleware stack is built if it was not."""
    framework = Framework.loaded()
    try:
        exceptions = gate.check(app, framework, mode)
        assert framework is not None
        walk = Walk(app, framework)
        missed = missed_of(app.router, framework)
        description = Description(list(walk.routes()), missed)
        guards = guards_of(app, walk.routers, exceptions, framework)
    except NotUnderstood as error:
        return _left_to_asgi(app, framework, error)
    except Exception as error:
        # Of a framework that is not known anything may be otherwise; it serves as ever by ASGI.
        return _left_to_asgi(app, framework, NotUnderstood(f"it cannot be inspected: {error!r}"))
    return Inspection(app, description, walk.objects.table, guards, None, False, exceptions)


def _left_to_asgi(app: Any, framework: Framework | None, error: NotUnderstood) -> Inspection:
    routes = [_opaque(route, error.reason) for route in _routes(app, framework)]
    is_unknown = isinstance(error, gate.UnknownRelease)
    return Inspection(app, Description(routes), [], [], error.reason, is_unknown, None)


def _routes(app: Any, framework: Framework | None) -> list[Route]:
    """Return the routes as far as they can be told."""
    if framework is None or not isinstance(app, framework.applications.FastAPI):
        return []
    try:
        return list(Walk(app, framework).routes())
    except Exception:
        return []


def _opaque(route: Route, reason: str) -> Route:
    return Route(route.methods, route.path, Opaque(reason)) if route.path else route
