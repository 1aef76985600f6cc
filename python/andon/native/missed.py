"""What becomes of requests that no route takes: 404, 405, a redirect for a slash at the end.

Where the framework answers those itself, it is described as what an endpoint of the router would
do: it raises what the router raises, or returns the response that the router sends. Handlers of
exceptions, of the application as well, then see it as they would have.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from andon.native.description import (
    BodyLimit,
    Caller,
    CallKind,
    Dependant,
    Inject,
    Missed,
    Native,
    Refused,
    Response,
    Route,
    ScopeObjects,
)
from andon.native.framework import Framework, is_untouched
from andon.native.guards import guards_of_missed
from andon.native.handlers import name_of
from andon.native.limits import limits_around
from andon.native.objects import Objects


class Tried(Protocol):
    """The routes of an application after all of them were looked at: `andon.native.walk.Walk`."""

    app: Any
    router: Any
    objects: Objects
    refusing: "dict[int, Refusing]"

    def left_in_scope(self) -> dict[str, Any] | None:
        """Return what is in ``scope["fastapi"]`` where no route has taken a request."""


@dataclass(frozen=True)
class Refusing:
    """A route that answers 405 to methods that are not its own.

    ``route`` is what it leaves in the scope as such, ``shape`` is itself or what its inclusion
    makes of it, ``left`` what it leaves in ``scope["fastapi"]``; `None`: what all routes leave.
    """

    route: Any
    shape: Any
    left: dict[str, Any] | None


def missed_of(tried: Tried, framework: Framework) -> Missed | None:
    """Describe what a router does with a request that no route takes; `None`: it is not known."""
    router = tried.app.router
    owner = framework.routing.APIRouter
    default = router.default
    is_own = (
        getattr(default, "__func__", None) is framework.starlette_routing.Router.not_found
        and default.__self__ is router
    )
    known = is_own and framework.release.routes_by_itself
    if not known or _has_frontends(router, owner):
        return None
    guards = tried.objects.number(guards_of_missed(router))
    answers = _Answers(tried, framework.starlette_routing)
    redirect = answers.by(answers.redirect, "request") if router.redirect_slashes else None
    return Missed(answers.by(answers.not_found), redirect, guards)


def with_refused(routes: list[Route], tried: Tried, framework: Framework) -> list[Route]:
    """Return the routes with what they answer to methods that are not their own."""
    answers = _Answers(tried, framework.starlette_routing)
    described = list(routes)
    for number, refusing in tried.refusing.items():
        methods = refusing.shape.methods
        if methods:
            # The order of a set is what it is.
            refused = answers.refused(refusing, ", ".join(methods))
            described[number] = replace(routes[number], refused=refused)
    return described


def _has_frontends(router: Any, owner: type) -> bool:
    """Whether there are routes that come behind all others, or it cannot be told."""
    names = ("_match_low_priority", "_iter_low_priority_routes")
    return not is_untouched(router, owner, *names) or any(router._iter_low_priority_routes())


def scope_of(tried: Tried, route: Any, endpoint: Any, left: dict[str, Any] | None) -> ScopeObjects:
    """Return what is in the scope; ``left`` in ``scope["fastapi"]``."""

    def number(value: Any) -> int | None:
        return None if value is None else tried.objects.number(value)

    return ScopeObjects(
        app=tried.objects.number(tried.app),
        router=tried.objects.number(tried.router),
        route=number(route),
        endpoint=number(endpoint),
        fastapi=number(left),
    )


def called(
    objects: Objects,
    endpoint: Callable[..., Any],
    told: tuple[Caller, CallKind, str],
    scope: ScopeObjects,
    request: str | None = None,
    guards: int | None = None,
    limits: Sequence[BodyLimit] = (),
) -> Native:
    """Describe a function whose result is the response; ``request``: its only parameter.

    ``told``: who calls it, how, and its name for people.
    """
    number = objects.number(endpoint)
    caller, kind, name = told
    return Native(
        tier=2,
        endpoint=name,
        caller=caller,
        root=Dependant(
            call=number,
            kind=kind,
            # A coroutine function of the framework is not moved to a thread as others are.
            suspends=kind == "coroutine",
            name=None,
            cache_key=0,
            use_cache=True,
            concurrency=None,
            function_scope=True,
            dependencies=[],
            parameters=[],
            form=None,
            inject=Inject(request=request),
        ),
        body=None,
        limits=list(limits),
        response=Response(None, None, number, default_class=False, stream=None),
        scope=scope,
        guards=guards,
    )


class _Answers:
    """What the router of an application does by itself; ``routing``: where its parts are."""

    def __init__(self, tried: Tried, routing: Any) -> None:
        self._tried = tried
        self._routing = routing
        self._left = tried.left_in_scope()
        self._limits = limits_around(tried.app)
        self._not_allowed: dict[str, Callable[[], Any]] = {}

    async def not_found(self) -> None:
        """Do as `starlette.routing.Router.not_found` does."""
        raise self._routing.HTTPException(status_code=404)

    async def redirect(self, request: Any) -> Any:
        """Return the redirect of `starlette.routing.Router.app`."""
        routing = self._routing
        scope = dict(request.scope)
        if routing.get_route_path(scope).endswith("/"):
            scope["path"] = scope["path"].rstrip("/")
        else:
            scope["path"] = scope["path"] + "/"
        return routing.RedirectResponse(url=str(routing.URL(scope=scope)))

    def refused(self, refusing: Refusing, allow: str) -> Refused:
        """Describe what a route does in `starlette.routing.Route.handle`."""
        endpoint = self._not_allowed.setdefault(allow, self._refusal(allow))
        left = self._left if refusing.left is None else refusing.left
        scope = scope_of(self._tried, refusing.route, refusing.shape.endpoint, left)
        return Refused(allow, self._called(endpoint, scope))

    def _refusal(self, allow: str) -> Callable[[], Any]:
        async def not_allowed() -> None:
            headers = {"Allow": allow}
            raise self._routing.HTTPException(status_code=405, headers=headers)

        return not_allowed

    def by(self, endpoint: Callable[..., Any], request: str | None = None) -> Native:
        """Describe what is done where no route takes a path; ``request``: its parameter."""
        scope = scope_of(self._tried, None, None, self._left)
        return self._called(endpoint, scope, request)

    def _called(
        self, endpoint: Callable[..., Any], scope: ScopeObjects, request: str | None = None
    ) -> Native:
        told: tuple[Caller, CallKind, str] = ("router", "coroutine", name_of(endpoint))
        return called(self._tried.objects, endpoint, told, scope, request, limits=self._limits)
