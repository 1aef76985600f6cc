"""What becomes of requests that no route takes: 404 and 405, where the framework says so itself."""

from typing import Any

from andon.native.description import Missed
from andon.native.framework import Framework, is_untouched
from andon.native.guards import guards_of_missed
from andon.native.objects import Objects


def missed_of(router: Any, framework: Framework, objects: Objects) -> Missed | None:
    """Describe what a router does with a request that no route takes; `None`: it is not known."""
    owner = framework.routing.APIRouter
    default = router.default
    is_own = (
        getattr(default, "__func__", None) is framework.starlette_routing.Router.not_found
        and default.__self__ is router
    )
    if not is_own or _has_frontends(router, owner):
        return None
    guards = objects.number(guards_of_missed(router))
    return Missed(bool(router.redirect_slashes), guards)


def _has_frontends(router: Any, owner: type) -> bool:
    """Whether there are routes that come behind all others, or it cannot be told."""
    names = ("_match_low_priority", "_iter_low_priority_routes")
    if not hasattr(owner, names[0]):
        # There are none in older releases.
        return False
    return not is_untouched(router, owner, *names) or any(router._iter_low_priority_routes())


def allow_of(route: Any, shape: Any, owner: type) -> str | None:
    """Return what a route answers in ``Allow``, which is its set of methods as it is.

    ``shape`` is the route or what its inclusion makes of it. `None`: it answers otherwise, or takes
    every method.
    """
    if not shape.methods or not is_untouched(route, owner, "handle"):
        return None
    return ", ".join(shape.methods)
