"""Middleware of Starlette that Rust does itself, where an application has no other."""

import functools
import importlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]

_CORS, _GZIP = "CORSMiddleware", "GZipMiddleware"
# The module of each class, and what its `__init__` sets; something else of the name of a method
# would hide that.
_KNOWN = {
    _CORS: (
        "starlette.middleware.cors",
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
        },
    ),
    _GZIP: (
        "starlette.middleware.gzip",
        {"app", "minimum_size", "compresslevel", "thread_minimum_size", "exclude_content_types"},
    ),
    "HTTPSRedirectMiddleware": ("starlette.middleware.httpsredirect", {"app"}),
    "TrustedHostMiddleware": (
        "starlette.middleware.trustedhost",
        {"app", "allowed_hosts", "allow_any", "www_redirect"},
    ),
}


@dataclass(frozen=True)
class Layer:
    """A live middleware, which the extension module asks what it is set to, and its module."""

    kind: str
    live: Any
    module: ModuleType

    def sending(self, scope: Scope, send: Send, noted: Any) -> Send:
        """Return the `send` that the middleware hands on, where it hands on one of its own.

        ``noted`` is what it was set to when the request came, as far as it notes that.
        """
        if self.kind == _CORS:
            headers = self.module.Headers(scope=scope)
            return functools.partial(self.live.send, send=send, request_headers=headers)
        return self._compressing(send, *noted)

    def _compressing(
        self, send: Send, accepts: bool, minimum: Any, level: Any, for_threads: Any, excluded: Any
    ) -> Send:
        """As `GZipMiddleware.__call__` does it, without a call of what is inside."""
        if accepts:
            responder = self.module.GZipResponder(
                self.live.app,
                minimum,
                compresslevel=level,
                thread_minimum_size=for_threads,
                exclude_content_types=excluded,
            )
        else:
            responder = self.module.IdentityResponder(
                self.live.app, minimum, exclude_content_types=excluded
            )
        responder.send = send
        compressing: Send = responder.send_with_compression
        return compressing

    def guards(self) -> list[tuple[Any, Any, Any] | tuple[Any, int]]:
        """Return what must stay as it is: what it wraps, and that nothing hides its methods."""
        attributes = vars(self.live)
        return [(attributes, "app", attributes["app"]), (attributes, len(attributes))]


def module_of(live: Any) -> str | None:
    """Return the module of a middleware's class, if that is one of those; `None`: it is another."""
    module, _ = _KNOWN.get(type(live).__name__, (None, None))
    return module if type(live).__module__ == module else None


def layer_of(live: Any) -> Layer | None:
    """Return what is needed of a middleware; `None`: it is another, or was changed.

    Its module must be known and unchanged.
    """
    name = type(live).__name__
    module, attributes = _KNOWN[name]
    loaded = importlib.import_module(module)
    if type(live) is not getattr(loaded, name, None) or vars(live).keys() != attributes:
        return None
    if name == _GZIP and not _keeps_all_of_vary(loaded):
        return None
    return Layer(name, live, loaded)


def _keeps_all_of_vary(module: ModuleType) -> bool:
    """Whether several fields become one; before Starlette 1.8 all but the first are lost."""
    headers = module.MutableHeaders(raw=[(b"vary", b"a"), (b"vary", b"b")])
    headers.add_vary_header("c")
    return bool(headers.raw == [(b"vary", b"a, b, c")])
