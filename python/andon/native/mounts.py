"""Applications of FastAPI that another one mounts: where they are, what a request finds there."""

from dataclasses import dataclass
from typing import Any

from andon.native.framework import Framework, is_untouched
from andon.native.guards import Guard
from andon.native.limits import limits_around
from andon.native.paths import path_of
from andon.native.stack import Stack
from andon.native.understanding import NotUnderstood


@dataclass(frozen=True)
class Within:
    """What requests have met before they come to a mounted application.

    ``limits`` and ``has_included`` tell what is left in ``scope["fastapi"]``: limits of forms, and
    whether a router that is included was tried. ``around`` are the applications around it, the
    outermost first.
    """

    router: Any
    around: tuple[Any, ...]
    limits: dict[str, Any]
    has_included: bool


@dataclass(frozen=True)
class Mount:
    """A mount of another application of FastAPI.

    ``number`` counts all routes of the application around it; ``place``: that it is there.
    """

    number: int
    route: Any
    place: Guard
    within: Within
    left_in_scope: dict[str, Any] | None

    def guards(self) -> list[Guard]:
        """Return what must hold for requests to get to the mounted application."""
        return [self.place, (vars(self.route), "app", self.route.app)]


def is_known(route: Any, framework: Framework) -> bool:
    """Whether a route is a mount, at a path without parameters, of an application of FastAPI.

    And whether requests find in their scope there what Andon puts there.
    """
    owner = framework.starlette_routing.Mount
    if not framework.release.routes_by_itself:
        return False
    if not isinstance(route, owner) or not is_untouched(route, owner, "matches", "handle"):
        return False
    is_application = isinstance(route.app, framework.applications.FastAPI)
    if not is_application or route.param_convertors.keys() != {"path"}:
        return False
    try:
        return path_of(route, route.path + "/{path:path}", framework).is_exact
    except NotUnderstood:
        return False


def check_around(app: Any) -> None:
    """Let an application through that mounts another one or is mounted."""
    if limits_around(app):
        raise NotUnderstood("a limit around a mounted application")


def check_mounted(app: Any, within: Within) -> None:
    """Let a mounted application through before its middleware stack is built.

    Its first request would do that; only the framework's own classes are made here.
    """
    if app.user_middleware or any(app is other for other in within.around):
        raise NotUnderstood("middleware of a mounted application, or one that mounts itself")


def check_stack(app: Any, stack: Stack) -> None:
    """Let a mounted application through whose layers do no more than to handle exceptions."""
    if stack.names:
        raise NotUnderstood("middleware of a mounted application")
    check_around(app)
