"""What really serves a route: the closures that FastAPI has made for it.

Attributes of a route only say what they were made from. Tools that wrap a route's handler, and
routes with handlers of their own, are seen here: they have other code.
"""

import functools
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from andon.native.framework import Framework, inner_code
from andon.native.understanding import NotUnderstood

# The variables of `fastapi.routing.get_request_handler.<locals>.app`: what it does is known for
# exactly these.
_VARIABLES = frozenset(
    {
        "actual_response_class",
        "actual_strict_content_type",
        "body_field",
        "dependant",
        "dependency_overrides_provider",
        "embed_body_fields",
        "is_body_form",
        "is_coroutine",
        "is_json_stream",
        "is_sse_stream",
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
    }
)
# From 0.163 on.
_NEWER_VARIABLES = frozenset({"form_limits"})


@dataclass(frozen=True)
class Handler:
    """The variables of a route's handler, those that matter for serving it natively."""

    actual_response_class: Any
    actual_strict_content_type: bool
    body_field: Any
    dependant: Any
    dependency_overrides_provider: Any
    embed_body_fields: bool
    is_body_form: bool
    is_coroutine: bool
    is_json_stream: bool
    is_sse_stream: bool
    response_class: Any
    response_field: Any
    response_model_by_alias: bool
    response_model_exclude: Any
    response_model_exclude_defaults: bool
    response_model_exclude_none: bool
    response_model_exclude_unset: bool
    response_model_include: Any
    status_code: Any
    stream_item_field: Any
    form_limits: Any = None


def handler_of(app: Any, framework: Framework) -> Handler:
    """Look into the ASGI application of a route.

    Raises `NotUnderstood` if it is not exactly what FastAPI makes.
    """
    outer = inner_code(framework.routing.request_response, "app")
    if not isinstance(app, FunctionType) or app.__code__ is not outer:
        raise NotUnderstood(f"its application is wrapped by `{name_of(app)}`")
    function = _variables(app)["f"]
    inner = inner_code(framework.routing.get_request_handler, "app")
    if not isinstance(function, FunctionType) or function.__code__ is not inner:
        raise NotUnderstood(f"its handler is wrapped by `{name_of(function)}`")
    variables = _variables(function)
    if variables.keys() not in (_VARIABLES, _VARIABLES | _NEWER_VARIABLES):
        raise NotUnderstood("its handler is that of an unknown FastAPI")
    known = Handler.__dataclass_fields__
    return Handler(**{name: value for name, value in variables.items() if name in known})


def _variables(function: FunctionType) -> dict[str, Any]:
    cells = function.__closure__ or ()
    names = function.__code__.co_freevars
    return {name: cell.cell_contents for name, cell in zip(names, cells, strict=True)}


def name_of(function: Any) -> str:
    """Return ``module.function``, for people."""
    while isinstance(function, functools.partial):
        function = function.func
    module = getattr(function, "__module__", None) or type(function).__module__
    return f"{module}.{getattr(function, '__qualname__', type(function).__qualname__)}"
