"""The faces of an application: plain ASGI, and the native path behind an ASGI interface.

Whoever compares calls `plain(application)` or `native(application)` once for each application and
then the face for each request; `wire(application)` is the native path over a socket. A face says
who served a request through the callable `served`: `NATIVE`, or the reason why it was not.
"""

import os
import weakref
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Protocol

from .observation import Receive, Scope, Send

PLAIN = "plain"
NATIVE = "native"
WIRE = "wire"
# `unknown-ok` has releases served natively that Andon does not know: to find out about them.
MODE: Any = os.environ.get("PARITY_NATIVE", "auto")
OF_ANY_RELEASE = MODE == "unknown-ok"

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Served = Callable[[str], None]


class Face(Protocol):
    """Serves one request, and says by whom it was served."""

    def __call__(
        self, scope: Scope, receive: Receive, send: Send, served: Served
    ) -> Awaitable[None]: ...


MakeFace = Callable[[Any], Face]

# Whom to tell of a request that native routes serve deep inside the application.
_SERVED: ContextVar[Served] = ContextVar("served")


def plain(application: Application) -> Face:
    """The application itself."""
    return _pass_through(application, PLAIN)


def native(application: Application) -> Face:
    """The native path, as a worker has it."""
    return NativeFace(application)


class NativeFace:
    """Inspects its application with the first request, and anew with the first after a change."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._face: Face | None = None

    def __call__(
        self, scope: Scope, receive: Receive, send: Send, served: Served
    ) -> Awaitable[None]:
        if self._face is None:
            self._face = self._inspected()
        _SERVED.set(served)
        return self._face(scope, receive, send, served)

    def _inspected(self) -> Face:
        # Here, because the recorder is also loaded where only the plain face is wanted.
        from andon import _andon
        from andon.native import inspect

        found = inspect(self._application, MODE)
        if found.reason is not None:
            return _pass_through(self._application, f"application: {found.reason}")
        calls = found.calls(weakly(self._forget), _tell)
        face: Face = _andon.NativeApp(
            found.description.to_json(), found.objects, found.guards, calls
        )
        return face

    def _forget(self) -> None:
        self._face = None


def _tell(by: str) -> None:
    served = _SERVED.get(None)
    if served is not None:
        served(by)


def weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Call the method as long as its object is there.

    The collector does not see what the extension module holds.
    """
    reference = weakref.WeakMethod(method)

    def call() -> None:
        if there := reference():
            there()

    return call


def wire(application: Application) -> Face:
    """The native path behind a front, over a socket."""
    from .loopback.face import WireFace

    return WireFace(application)


def _pass_through(application: Application, reason: str) -> Face:
    def call(scope: Scope, receive: Receive, send: Send, served: Served) -> Awaitable[None]:
        served(reason)
        return application(scope, receive, send)

    return call


FACES: dict[str, MakeFace] = {PLAIN: plain, NATIVE: native, WIRE: wire}
