"""Limits of the size of bodies (``max_body_size``): where they are, and what keeps them.

FastAPI wraps applications in two layers of its own and Starlette's, of which the outermost counts
for all that are within it. Where a body could exceed its limit, that very object counts here, too.
"""

from typing import Any, cast

from andon.native.description import BodyLimit

_RESPONDER = "starlette._body_limit_responder"
# Layers that can be around that of the application's limit.
_OUTERMOST = 3


def unwrapped(app: Any) -> tuple[Any, int | None]:
    """Return what a limit is put around, and the limit; the same and `None` where there is none."""
    is_named = type(app).__name__ == "RequestBodyLimitMiddleware"
    if is_named and (type(app), type(app.app)) == _classes():
        return app.app.app, int(app.max_body_size)
    return app, None


def limits_around(app: Any) -> list[BodyLimit]:
    """Return the limits of a whole application."""
    limits: list[BodyLimit] = []
    layer = app.middleware_stack
    for _ in range(_OUTERMOST):
        if type(layer).__name__ == "AppBodyLimitMiddleware":
            limits = _limits("application", layer.app)
        layer = getattr(layer, "app", None)
    return limits + _limits("router", app.router.middleware_stack)


def limits_of(app: Any, around: list[BodyLimit]) -> tuple[Any, list[BodyLimit]]:
    """Return what serves a route, and all limits that are around it, from the outside in."""
    return unwrapped(app)[0], around + _limits("route", app)


def _limits(level: Any, app: Any) -> list[BodyLimit]:
    size = unwrapped(app)[1]
    return [] if size is None else [BodyLimit(level, min(size, 2**63))]


def _classes() -> tuple[type, type]:
    # Applications of other frameworks do not have them.
    from fastapi._body_limit import _BodyLimitExceptionMiddleware
    from starlette.middleware.body_limit import RequestBodyLimitMiddleware

    return RequestBodyLimitMiddleware, _BodyLimitExceptionMiddleware


# --- while a request is served


def responder(scope: dict[str, Any], receive: Any, send: Any, size: int) -> Any:
    """Return what counts a body, ready to be used by its ``receive`` and ``send``."""
    from starlette.middleware import body_limit

    made = body_limit.RequestBodyLimitResponder(cast(Any, None), size)
    made._scope, made._receive, made._send = scope, receive, send
    made.content_length = body_limit._get_content_length(scope)
    return made


def lower(scope: dict[str, Any], size: int) -> bool:
    """Tell what counts the body already that another limit is within its own.

    False: nothing counts. Raises what is raised where it has counted too much.
    """
    active = scope.get(_RESPONDER)
    if active is None:
        return False
    active.max_body_size = size
    if active.total_size > size:
        from starlette.middleware import body_limit

        raise body_limit._RequestBodyTooLarge
    return True


def within(app: Any) -> Any:
    """Return what FastAPI puts between a limit and what it limits."""
    return _classes()[1](app)


def signal(error: BaseException) -> BaseException | None:
    """Return the exception of a limit that another one is or holds."""
    from fastapi._body_limit import get_body_limit_error

    return get_body_limit_error(error) if isinstance(error, Exception) else None
