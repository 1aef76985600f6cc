"""The inspection of an application: what of it may be served natively, and what must be watched."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from andon.native import Mode, gate
from andon.native.calls import Calls
from andon.native.description import Description, Missed, Native, Opaque, Route
from andon.native.framework import Framework
from andon.native.guards import Guard, guards_of
from andon.native.limits import limits_around
from andon.native.missed import missed_of
from andon.native.stack import Stack, handlers_of
from andon.native.understanding import NotUnderstood
from andon.native.walk import Walk


@dataclass(frozen=True)
class Inspection:
    """What was found.

    ``reason`` is why the whole application is left to ASGI, `None`: it is not. ``is_unknown``: only
    because its framework is not among the known releases. ``stack`` is its
    middleware stack, and nothing where there is a reason.
    """

    app: Any
    description: Description
    objects: list[Any]
    guards: list[Guard]
    reason: str | None
    is_unknown: bool
    stack: Stack | None

    def calls(
        self, on_change: Callable[[], None], tell: Callable[[str], None] | None = None
    ) -> Calls:
        """Return what the extension module needs beside the description.

        Raises `ValueError` where there is a reason.
        """
        if self.stack is None:
            raise ValueError(self.reason)
        by_class, by_status = handlers_of(self.stack.exceptions)
        return Calls(
            app=self.app,
            on_change=on_change,
            exception_handlers=by_class,
            status_handlers=by_status,
            exceptions=self.stack.exceptions,
            innermost=self.stack.innermost,
            spliced=bool(self.stack.names),
            dispatchers=self.stack.dispatchers.layers if self.stack.dispatchers else [],
            around=self.stack.dispatchers.around if self.stack.dispatchers else None,
            tell=tell,
        )

    def middleware(self) -> str:
        """Return under which middleware native routes run, in words that follow "native"."""
        names = self.stack.names if self.stack is not None else []
        return f", under middleware {', '.join(names)}" if names else ""

    def watched(self) -> list[Guard]:
        """Return the guards of the application, and those of its routes."""
        told = [self.description.missed, *(route.serve for route in self.description.routes)]
        lists = [self.objects[each.guards] for each in told if isinstance(each, Native | Missed)]
        return [*self.guards, *chain.from_iterable(lists)]

    def count(self) -> int:
        """Return how many routes are native."""
        return sum(isinstance(route.serve, Native) for route in self.description.routes)


def inspect(app: Any, mode: Mode = "auto") -> Inspection:
    """Inspect an application that has started; its middleware stack is built if it was not."""
    framework = Framework.loaded()
    try:
        stack = gate.check(app, framework, mode)
        assert framework is not None
        walk = Walk(app, framework)
        missed = None if limits_around(app) else missed_of(app.router, framework, walk.objects)
        description = Description(list(walk.routes()), missed)
        guards = guards_of(app, walk.routers, stack.exceptions, framework)
    except NotUnderstood as error:
        is_unknown = isinstance(error, gate.UnknownRelease)
        return leave_to_asgi(app, error.reason, is_unknown=is_unknown)
    except Exception as error:
        # Of a framework that is not known anything may be otherwise; it serves as ever by ASGI.
        return leave_to_asgi(app, f"it cannot be inspected: {error!r}")
    return Inspection(app, description, walk.objects.table, guards, None, False, stack)


def leave_to_asgi(app: Any, reason: str, *, is_unknown: bool = False) -> Inspection:
    """Return the inspection of an application that is served by ASGI as a whole."""
    routes = [_opaque(route, reason) for route in _routes(app, Framework.loaded())]
    return Inspection(app, Description(routes), [], [], reason, is_unknown, None)


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
