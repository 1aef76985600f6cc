"""An application under middleware, whose endpoints tell who calls them, and where they run."""

import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response

app = FastAPI()


@app.middleware("http")
async def around(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["x-around"] = "1"
    return response


async def called_by() -> list[str]:
    frame, found = sys._getframe(), []
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name in ("fastapi.routing", "fastapi.dependencies.utils"):
            found.append(name)
        frame = frame.f_back  # type: ignore[assignment]
    return [*found, threading.current_thread().name]


@app.get("/how")
async def how(caller: Annotated[list[str], Depends(called_by)]) -> Any:
    """Cannot suspend, so that it can be run on a thread."""
    return [caller, threading.current_thread().name]
