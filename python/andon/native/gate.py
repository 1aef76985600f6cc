"""Whether anything of an application may be served natively.

Native routes do the work of FastAPI's own code. So that code must be known, unchanged, and all that
stands between the server and the route.
"""

from typing import Any

from andon.native import Mode, digests, originals, reading
from andon.native.framework import Framework, is_untouched
from andon.native.limits import unwrapped
from andon.native.stack import Stack, stack_of
from andon.native.understanding import NotUnderstood

HINT = "`--native unknown-ok` serves it natively if it stands a self-test"

# What is read from the application on each request; the guards watch it.
_ATTRIBUTES = ("router", "middleware_stack", "root_path", "dependency_overrides")


class UnknownRelease(NotUnderstood):
    """A release of FastAPI or Starlette that was not compared with what Andon does."""


def check(app: Any, framework: Framework | None, mode: Mode) -> Stack:
    """Let an application through, and return its middleware stack.

    Raises `NotUnderstood` with the reason why it is left to ASGI as a whole.
    """
    if framework is None or not isinstance(app, framework.applications.FastAPI):
        raise NotUnderstood(f"the application is no FastAPI() but a `{type(app).__name__}`")
    if mode == "off":
        raise NotUnderstood("`--native off`")
    unknown = None if mode == "unknown-ok" else digests.unknown()
    if unknown is not None:
        raise UnknownRelease(unknown)
    changed = originals.first_change()
    if changed is not None:
        raise NotUnderstood(f"`{changed}` was replaced")
    if reading.differs():
        raise NotUnderstood("`pydantic_core.from_json` reads otherwise than `json.loads`")
    return check_application(app, framework)


def check_application(app: Any, framework: Framework) -> Stack:
    """Let one application through, if the framework is known and unchanged."""
    _check_application(app, framework)
    stack = stack_of(app, framework)
    _check_router(app.router, framework)
    return stack


def _check_application(app: Any, framework: Framework) -> None:
    owner = framework.applications.FastAPI
    methods = ("__call__", "build_middleware_stack", "__getattribute__")
    if not is_untouched(app, owner, *methods):
        raise NotUnderstood(f"`{type(app).__name__}` handles requests by methods of its own")
    if any(name in vars(each) for each in type(app).__mro__ for name in _ATTRIBUTES):
        raise NotUnderstood(f"`{type(app).__name__}` has attributes of its own kind")
    if app.debug:
        raise NotUnderstood("`debug` is on")
    telemetry = vars(app).get("_native_telemetry")
    if telemetry is not None and telemetry.enabled():
        raise NotUnderstood("FastAPI's telemetry is on")


def _check_router(router: Any, framework: Framework) -> None:
    owner = framework.routing.APIRouter
    if not isinstance(router, owner) or not is_untouched(router, owner, "__call__", "app"):
        raise NotUnderstood("its router handles requests by methods of its own")
    if unwrapped(router.middleware_stack)[0] != router.app:
        raise NotUnderstood("middleware of its router")
