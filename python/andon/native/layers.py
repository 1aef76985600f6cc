"""Which middleware of an application Rust may run by itself: Starlette's own, unchanged.

Their sources must be those that were compared, and unpatched; otherwise they are middleware as any
other, and run as they are.
"""

import importlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from andon import _andon
from andon.native import digests, dispatching, originals
from andon.native.known_layers import Layer, layer_of, module_of

_BASE = "starlette.middleware.base"
# They do nothing with what their `app` returns but await it.
_AWAITING = {
    _BASE: "BaseHTTPMiddleware",
    "starlette.middleware.cors": "CORSMiddleware",
    "starlette.middleware.gzip": "GZipMiddleware",
    "starlette.middleware.httpsredirect": "HTTPSRedirectMiddleware",
    "starlette.middleware.sessions": "SessionMiddleware",
    "starlette.middleware.trustedhost": "TrustedHostMiddleware",
}


@dataclass(frozen=True)
class Dispatchers:
    """Middleware with ``dispatch``, from the outside in, and the layer that is around them."""

    around: Any
    layers: list[Any]


def dispatchers_of(path: list[Any]) -> Dispatchers | None:
    """Return the middleware with ``dispatch`` that is directly around the last layer.

    ``path`` has all layers from the framework's own outermost ones to the `ExceptionMiddleware`, or
    to the outermost of the known layers around that.
    """
    if not _is_original(_BASE) or not dispatching.is_supported():
        return None
    first = len(path) - 1
    while first > 1 and _is_dispatcher(path[first - 1]) and path[first - 1].app is path[first]:
        first -= 1
    while first < len(path) - 1 and not _awaits(path[first - 1], path[first]):
        first += 1
    layers = path[first:-1]
    return Dispatchers(path[first - 1], layers) if layers else None


def known_layers(path: list[Any]) -> list[Layer]:
    """Return the known layers directly around the `ExceptionMiddleware`.

    ``path`` has all layers from the outside in, then the `ExceptionMiddleware`.
    """
    found: list[Layer] = []
    for inner, live in pairwise(reversed(path)):
        layer = _known_layer(live, inner)
        if layer is None:
            break
        found.insert(0, layer)
    return found


def _known_layer(live: Any, inner: Any) -> Layer | None:
    module = module_of(live)
    if module is None or not _is_original(module) or vars(live).get("app") is not inner:
        return None
    return layer_of(live)


def original(layer: Any) -> Any:
    """Return the middleware for which one of Andon's stands."""
    return layer.app if type(layer) is _andon.NativeDispatch else layer


def _is_dispatcher(layer: Any) -> bool:
    """Whether a layer is a `BaseHTTPMiddleware` that only its ``dispatch`` makes special."""
    owner = importlib.import_module(_BASE).BaseHTTPMiddleware
    if not isinstance(layer, owner) or {"app", "dispatch_func"} - vars(layer).keys():
        return False
    kept = ("__call__", "__getattribute__", "__getattr__", "__setattr__")
    return all(getattr(type(layer), name, None) is getattr(owner, name, None) for name in kept)


def _awaits(parent: Any, layer: Any) -> bool:
    """Whether a layer keeps what it wraps as ``app``, and only awaits what that returns."""
    if original(vars(parent).get("app")) is not layer:
        return False
    if _is_dispatcher(parent):
        return True
    module, name = type(parent).__module__, type(parent).__name__
    if _AWAITING.get(module) == name:
        return _is_original(module)
    return module.startswith("fastapi.")


def _is_original(module: str) -> bool:
    known = digests.is_known_module(module)
    return known and originals.first_change_of(importlib.import_module(module)) is None
