"""The ASGI application of a route that is included with its router.

Since 0.142 it is made once. Before, FastAPI makes it for each request, from what the inclusion
knows of the route.
"""

from typing import Any

from andon.native.framework import Framework, is_untouched
from andon.native.understanding import NotUnderstood

# What `fastapi.routing.APIRoute.get_route_handler` makes it from.
_MADE_FROM = (
    "_embed_body_fields",
    "body_field",
    "dependant",
    "dependency_overrides_provider",
    "is_json_stream",
    "response_class",
    "response_field",
    "response_model_by_alias",
    "response_model_exclude",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "response_model_exclude_unset",
    "response_model_include",
    "status_code",
    "stream_item_field",
    "strict_content_type",
)


def app_of(route: Any, shape: Any, framework: Framework) -> Any:
    """Return what serves a route; ``shape`` is itself or what its inclusion makes of it.

    Raises `NotUnderstood` if it is code of the application that would make it.
    """
    attributes = vars(shape)
    if "app" in attributes:
        return attributes["app"]
    routing = framework.routing
    if not is_untouched(route, routing.APIRoute, "get_route_handler"):
        raise NotUnderstood("its class has a `get_route_handler` of its own")
    token = routing._effective_route_context_var.set(shape)
    try:
        return routing.request_response(route.get_route_handler())
    finally:
        routing._effective_route_context_var.reset(token)


def watched(shape: Any) -> list[tuple[Any, Any, Any]]:
    """Return the guards of what serves a route."""
    attributes = vars(shape)
    names = ("app",) if "app" in attributes else _MADE_FROM
    return [(attributes, name, attributes[name]) for name in names]
