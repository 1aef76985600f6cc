"""The inspection of an application: what of it may be served natively, and what must be watched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from andon.native import Mode, gate
from andon.native.calls import Calls, Mounted
from andon.native.description import Description, Missed, Native, Opaque, Route
from andon.native.framework import Framework
from andon.native.guards import Guard, guards_of
from andon.native.missed import missed_of, with_refused
from andon.native.mounts import Mount, Within, check_around, check_mounted, check_stack
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
    mounts: list[tuple[Mount, "Inspection"]] = field(default_factory=list)

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
            spliced=self.stack.spliced,
            layers=self.stack.layers,
            dispatchers=self.stack.dispatchers.layers if self.stack.dispatchers else [],
            around=self.stack.dispatchers.around if self.stack.dispatchers else None,
            mounts=[found.handed_over(mount, on_change) for mount, found in self.mounts],
            tell=tell,
        )

    def handed_over(self, mount: Mount, on_change: Callable[[], None]) -> Mounted:
        """Return what the extension module needs of an application that another one mounts."""
        return Mounted(
            route=mount.number,
            path=mount.route.path,
            description=self.description.to_json(),
            objects=self.objects,
            guards=self.guards,
            calls=self.calls(on_change),
            router=mount.within.router,
            fastapi=mount.left_in_scope,
        )

    def middleware(self) -> str:
        """Return under which middleware native routes run, in words that follow "native"."""
        if self.stack is None or not self.stack.names:
            return ""
        native = "" if self.stack.spliced else " (native, too)"
        return f", under middleware {', '.join(self.stack.names)}{native}"

    def watched(self) -> list[Guard]:
        """Return the guards of the application, and those of its routes."""
        told = [self.description.missed, *(route.serve for route in self.description.routes)]
        numbers = (each.guards for each in told if isinstance(each, Native | Missed))
        lists = [self.objects[number] for number in numbers if number is not None]
        mounted = (found.watched() for _, found in self.mounts)
        return [*self.guards, *chain.from_iterable(lists), *chain.from_iterable(mounted)]

    def count(self) -> int:
        """Return how many routes are native."""
        return sum(isinstance(route.serve, Native) for route in self.description.routes)


def inspect(app: Any, mode: Mode = "auto") -> Inspection:
    """Inspect an application that has started; its middleware stack is built if it was not."""
    framework = Framework.loaded()
    try:
        stack = gate.check(app, framework, mode)
        assert framework is not None
        return _look(app, framework, stack, None)
    except NotUnderstood as error:
        is_unknown = isinstance(error, gate.UnknownRelease)
        return leave_to_asgi(app, error.reason, is_unknown=is_unknown)
    except Exception as error:
        # Of a framework that is not known anything may be otherwise; it serves as ever by ASGI.
        return leave_to_asgi(app, f"it cannot be inspected: {error!r}")


def _look(app: Any, framework: Framework, stack: Stack, within: Within | None) -> Inspection:
    walk = Walk(app, framework, within)
    routes = list(walk.routes())
    missed = missed_of(walk, framework)
    if missed is not None:
        routes = with_refused(routes, walk, framework)
    guards = guards_of(app, walk.routers, stack.exceptions, framework)
    guards += chain.from_iterable(layer.guards() for layer in stack.layers)
    mounts = list(_mounted(app, framework, walk.mounts))
    for mount, found in mounts:
        told = f"mounted: {found.count()} of {len(found.description.routes)} routes are native"
        routes[mount.number] = replace(routes[mount.number], serve=Opaque(told))
    description = Description(routes, missed)
    return Inspection(app, description, walk.objects.table, guards, None, False, stack, mounts)


def _mounted(
    app: Any, framework: Framework, mounts: list[Mount]
) -> Iterator[tuple[Mount, Inspection]]:
    """Yield the mounted applications that have plans of their own."""
    for mount in mounts:
        try:
            check_around(app)
            mounted = mount.route.app
            check_mounted(mounted, mount.within)
            below = gate.check_application(mounted, framework)
            check_stack(mounted, below)
            found = _look(mounted, framework, below, mount.within)
        except Exception:
            # Whatever the reason is, its requests are served by ASGI.
            continue
        yield mount, replace(found, guards=[*mount.guards(), *found.guards])


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
