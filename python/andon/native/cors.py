"""`CORSMiddleware` as the only middleware of an application: Rust does its part of an answer."""

import functools
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]

# What its `__init__` sets; something else of this name would hide a method.
_ATTRIBUTES = frozenset(
    {
        "app",
        "allow_origins",
        "allow_methods",
        "allow_headers",
        "allow_all_origins",
        "allow_all_headers",
        "allow_credentials",
        "preflight_explicit_allow_origin",
        "allow_origin_regex",
        "allow_private_network",
        "simple_headers",
        "preflight_headers",
    }
)


@dataclass(frozen=True)
class Cors:
    """The live middleware, which the extension module asks what it allows, and its module."""

    layer: Any
    module: ModuleType

    def sending(self, scope: Scope, send: Send) -> Send:
        """Return the `send` that the middleware hands on, as its `simple_response` makes it."""
        headers = self.module.Headers(scope=scope)
        return functools.partial(self.layer.send, send=send, request_headers=headers)


def cors_of(layer: Any, module: ModuleType) -> Cors | None:
    """Return what is needed of a layer; `None`: it is another, or was changed."""
    if type(layer) is not module.CORSMiddleware or vars(layer).keys() != _ATTRIBUTES:
        return None
    return Cors(layer, module)
