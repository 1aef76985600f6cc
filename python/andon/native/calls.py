"""What the extension module needs of a running application, beside its description."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Calls:
    """Read by the extension module whenever a plan is set.

    ``on_change`` is called when a guard fails after all have held. The handlers are the live
    dictionaries of the application's `ExceptionMiddleware`.
    """

    app: Any
    on_change: Callable[[], None]
    exception_handlers: dict[Any, Any]
    status_handlers: dict[int, Any]
