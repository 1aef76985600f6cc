"""The walk over an application's routes, in the order in which FastAPI tries them.

Routers that are included stay a tree in FastAPI. A request goes to the first route of the whole
tree that takes its path and method, so the tree is flattened here.
"""

from collections.abc import Iterator
from typing import Any

from andon.native.description import Barrier, Opaque, Route
from andon.native.framework import Framework, is_untouched
from andon.native.guards import Guard
from andon.native.limits import limits_around
from andon.native.missed import Refusing, scope_of
from andon.native.mounts import Mount, Within, is_known
from andon.native.natives import Natives
from andon.native.objects import Objects
from andon.native.paths import path_of
from andon.native.starlette_routes import native_of
from andon.native.understanding import NotUnderstood

_INCLUDED = "included_router"
_CONTEXT = "effective_route_context"
_LIMITS = "form_limits"
_OWN_CONVERTOR = "a path convertor of the application's own"


class Walk:
    """Describes every route.

    ``routers``: those that were passed, the application's own first. ``mounts``: those of other
    applications of FastAPI. ``within``: what is around the application, if it is mounted itself.
    """

    def __init__(self, app: Any, framework: Framework, within: Within | None = None) -> None:
        self.objects = Objects()
        self.routers: list[Any] = [app.router]
        self.mounts: list[Mount] = []
        # By the numbers of routes: those that answer 405 to other methods than their own.
        self.refusing: dict[int, Refusing] = {}
        self.app = app
        self.router = app.router if within is None else within.router
        self._around = (*(() if within is None else within.around), app)
        self._framework = framework
        self._natives = Natives(app, framework, self.objects, self.router)
        # What the framework leaves in ``scope["fastapi"]`` on its way to a route of the top router.
        self._limits: dict[str, Any] = dict(getattr(app.router, "form_limits", None) or {})
        self._has_included = False
        if within is not None:
            self._limits = {**within.limits, **self._limits}
            self._has_included = within.has_included
        self._described = 0
        # Where the walk is, in the list of the top router.
        self._place: Guard = (app.router.routes, 0)

    def routes(self) -> Iterator[Route]:
        """Yield the routes."""
        for route in self._routes():
            yield route
            self._described += 1

    def _routes(self) -> Iterator[Route]:
        routes = self.app.router.routes
        for index, route in enumerate(routes):
            self._place = (routes, index, route)
            if type(route) is self._framework.routing._IncludedRouter:
                self._has_included = True
                yield from self._included(route, self._limits)
            elif isinstance(route, self._framework.routing.APIRoute):
                yield self._api_route(route, route, None)
            else:
                if is_known(route, self._framework):
                    self._note_mount(route)
                yield from self._other(route)

    def _note_mount(self, route: Any) -> None:
        within = Within(self.router, self._around, self._limits, self._has_included)
        left = self.left_in_scope()
        self.mounts.append(Mount(self._described, route, self._place, within, left))

    def left_in_scope(self) -> dict[str, Any] | None:
        """Return ``scope["fastapi"]`` where the routes were tried that came so far."""
        if self._limits:
            return {_LIMITS: self._limits}
        return {} if self._has_included else None

    def _included(self, included: Any, inherited: dict[str, Any]) -> Iterator[Route]:
        router = included.original_router
        if not is_untouched(router, self._framework.routing.APIRouter, "matches", "handle"):
            yield _barrier("an included router with methods of its own")
            return
        if not any(router is known for known in self.routers):
            self.routers.append(router)
        limits = {**inherited, **(getattr(included.include_context, "form_limits", None) or {})}
        left = {_LIMITS: limits} if limits else {}
        for candidate in included.effective_candidates():
            if type(candidate) is self._framework.routing._IncludedRouter:
                yield from self._included(candidate, limits)
            elif isinstance(candidate.original_route, self._framework.routing.APIRoute):
                scope = {**left, _INCLUDED: included, _CONTEXT: candidate}
                yield self._api_route(candidate.original_route, candidate, scope)
            else:
                limited = getattr(included.include_context, "max_body_size", None) is not None
                other = candidate.starlette_route or candidate.original_route
                scope = {**left, _INCLUDED: included, _CONTEXT: candidate}
                yield from self._other(other, scope, limited=limited)

    def _other(
        self, route: Any, scope: dict[str, Any] | None = None, *, limited: bool = False
    ) -> Iterator[Route]:
        """Describe a route that is not FastAPI's. Those of WebSockets never take a request.

        ``scope`` as for `_api_route`.
        ``limited``: it is included with a bound of its body, which counts before its methods.
        """
        starlette = self._framework.starlette_routing
        if self._is_websocket(route):
            return
        if isinstance(route, starlette.Route) and is_untouched(route, starlette.Route, "matches"):
            yield self._starlette_route(route, scope, limited=limited)
        elif isinstance(route, starlette.Mount) and is_untouched(route, starlette.Mount, "matches"):
            yield self._opaque(route, route.path + "/{path:path}", None, "a mounted application")
        elif isinstance(route, starlette.Host):
            yield _barrier("depends on the host")
        else:
            yield _barrier(f"a route of the class `{type(route).__name__}`")

    def _is_websocket(self, route: Any) -> bool:
        owners = (
            self._framework.starlette_routing.WebSocketRoute,
            self._framework.routing.APIWebSocketRoute,
        )
        return any(
            isinstance(route, owner) and is_untouched(route, owner, "matches") for owner in owners
        )

    def _starlette_route(self, route: Any, scope: dict[str, Any] | None, *, limited: bool) -> Route:
        methods = sorted(route.methods or ())
        try:
            path = path_of(route, route.path, self._framework)
        except NotUnderstood as error:
            return Route(methods, route.path, Barrier(error.reason))
        owner = self._framework.starlette_routing.Route
        if path.is_exact and not limited and is_untouched(route, owner, "handle"):
            self.refusing[self._described] = Refusing(None, route, scope)
        try:
            if not path.is_exact:
                raise NotUnderstood(_OWN_CONVERTOR)
            if limited or limits_around(self.app):
                raise NotUnderstood("a route of Starlette whose body is limited")
            left = self.left_in_scope() if scope is None else scope
            objects = scope_of(self, None, route.endpoint, left)
            native = native_of(route, self._place, objects, self.objects, self._framework)
            return Route(methods, path.template, native)
        except NotUnderstood as error:
            return Route(methods, path.template, Opaque(error.reason))

    def _opaque(self, route: Any, path: str, methods: Any, reason: str) -> Route:
        try:
            found = path_of(route, path, self._framework)
        except NotUnderstood as error:
            return Route(sorted(methods or ()), path, Barrier(error.reason))
        return Route(sorted(methods or ()), found.template, Opaque(reason))

    def _api_route(self, route: Any, shape: Any, scope: dict[str, Any] | None) -> Route:
        """Describe a route of FastAPI; ``shape`` is itself or what its inclusion makes of it.

        ``scope`` is what is in ``scope["fastapi"]``; `None`: what is left by the routes before it.
        """
        methods = sorted(shape.methods)
        owner = self._framework.routing.APIRoute
        if not is_untouched(route, owner, "matches") or "matches" in vars(shape):
            return Route(methods, shape.path, Barrier("its class has a `matches` of its own"))
        try:
            path = path_of(shape, shape.path, self._framework)
        except NotUnderstood as error:
            return Route(methods, shape.path, Barrier(error.reason))
        if path.is_exact and is_untouched(route, owner, "handle"):
            self.refusing[self._described] = Refusing(route, shape, scope)
        left = self.left_in_scope() if scope is None else scope
        try:
            if not path.is_exact:
                raise NotUnderstood(_OWN_CONVERTOR)
            if not is_untouched(route, owner, "handle"):
                raise NotUnderstood("its class has a `handle` of its own")
            native = self._natives.native(route, shape, left, self._place)
            return Route(methods, path.template, native)
        except NotUnderstood as error:
            return Route(methods, path.template, Opaque(error.reason))
        except Exception as error:
            # Code of the application runs here too: `__hash__` of what it depends on, defaults.
            reason = f"it cannot be inspected: {error!r}"
            return Route(methods, path.template, Opaque(reason))


def _barrier(reason: str) -> Route:
    return Route([], "", Barrier(reason))
