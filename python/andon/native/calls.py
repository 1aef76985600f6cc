"""What the extension module needs of a running application, beside its description."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from andon.native.known_layers import Layer


@dataclass(frozen=True)
class Calls:
    """Read by the extension module whenever a plan is set.

    ``on_change`` is called when a guard fails after all have held. The handlers are the live
    dictionaries of ``exceptions``, the application's `ExceptionMiddleware`, and ``innermost`` is
    what the framework has put behind that. ``spliced``: native routes take the place of
    ``innermost`` and run under the live middleware. Of that, ``dispatchers`` are those with
    ``dispatch`` directly around that, which ``around`` has as its ``app``. ``tell``, if
    there is one, is told by whom each request was served there: "native", or why it was not.
    ``layers``: the middleware directly around ``exceptions``, from the outside in, that the
    extension module does: all that there is, or what is inside of ``dispatchers``.
    ``mounts``: the applications of FastAPI that it mounts.
    """

    app: Any
    on_change: Callable[[], None]
    exception_handlers: dict[Any, Any]
    status_handlers: dict[int, Any]
    exceptions: Any
    innermost: Any
    spliced: bool
    mounts: list["Mounted"]
    tell: Callable[[str], None] | None
    dispatchers: list[Any] = field(default_factory=list)
    around: Any = None
    layers: list[Layer] = field(default_factory=list)


@dataclass(frozen=True)
class Mounted:
    """A mounted application, with all that is handed over of one.

    ``route`` is the number of the mount among the routes of the application around it, ``path`` its
    path, ``router`` the outermost one, ``fastapi`` what is left of ``scope["fastapi"]``.
    """

    route: int
    path: str
    description: str
    objects: list[Any]
    guards: list[Any]
    calls: Calls
    router: Any
    fastapi: dict[str, Any] | None
