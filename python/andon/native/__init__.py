"""Native routes: what of a FastAPI application Rust may serve by itself.

After the application has started, it is inspected once (`andon.native.inspection`): the gate (is
the framework known and unchanged?), then a walk over its routes, from the closures that really
serve them. What is understood goes to Rust as a description with a table of objects and guards;
what is not stays with the application, for a reason that `andon routes` tells.

The parts are imported when they are needed: an application of another framework pays nothing. None
of them imports FastAPI; its modules are looked into if the application has imported them.
"""

import sys
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from andon.native.inspection import Inspection
    from andon.native.installation import Target

__all__ = ["Mode", "inspect", "install"]

# `--native`: with releases of the frameworks that are known, never, with all of them.
Mode = Literal["auto", "off", "unknown-ok"]


def inspect(app: Any, mode: Mode = "auto") -> "Inspection":
    """Inspect an application; see `andon.native.inspection.inspect`."""
    from andon.native import inspection

    return inspection.inspect(app, mode)


async def install(target: "Target", application: Any, mode: Mode) -> None:
    """Serve natively what can be; see `andon.native.installation.install`."""
    if mode == "off" or "fastapi" not in sys.modules:
        return
    from andon.native import installation

    await installation.install(target, application, mode)
