"""Running an ``async def`` that cannot suspend on a thread, where the front asks for it.

Only endpoints whose code holds no ``await`` are asked for (`andon.routes.is_offloadable`): one step
takes them to their end, wherever it runs. On the thread they have an event loop of their own at
hand, which is made only if they use it.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any, cast

from andon import _andon
from andon.routes import endpoints, is_offloadable


class _LoopOnDemand:
    """Stands for an event loop, which is made when something of it is asked for."""

    def __init__(self) -> None:
        self._made: asyncio.AbstractEventLoop | None = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = asyncio.new_event_loop()
        return getattr(self._made, name)

    def finish(self) -> None:
        """Run what was put on the loop to its end."""
        if self._made is None:
            return
        try:
            tasks = asyncio.all_tasks(self._made)
            if tasks:
                self._made.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        finally:
            self._made.close()


def drive(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a coroutine function and run it to its end on the calling thread."""
    loop = _LoopOnDemand()
    coroutine = function(**arguments)
    asyncio._set_running_loop(cast(asyncio.AbstractEventLoop, loop))
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    finally:
        asyncio._set_running_loop(None)
        coroutine.close()
        loop.finish()
    raise RuntimeError(f"{function!r} waits, so it cannot be run on a thread")


def install(worker: _andon.Worker, threads: _andon.Threads, application: object) -> None:
    """Let endpoints of FastAPI and Starlette be run on threads."""
    if "fastapi" in sys.modules:
        _wrap_fastapi(worker, threads)
    if "starlette" in sys.modules:
        for route in endpoints(application):
            _wrap_starlette(route, worker, threads)


def _wrap_fastapi(worker: _andon.Worker, threads: _andon.Threads) -> None:
    routing = sys.modules.get("fastapi.routing")
    original = getattr(routing, "run_endpoint_function", None)
    if not isinstance(original, FunctionType):
        return
    is_offloaded = worker.is_offloaded

    async def run_endpoint_function(
        *, dependant: Any, values: dict[str, Any], is_coroutine: bool
    ) -> Any:
        if is_coroutine and is_offloaded() and is_offloadable(dependant.call):
            return await threads.submit(drive, (dependant.call, values), None, False)
        return await original(dependant=dependant, values=values, is_coroutine=is_coroutine)

    routing.run_endpoint_function = run_endpoint_function  # type: ignore[union-attr]


def _wrap_starlette(route: Any, worker: _andon.Worker, threads: _andon.Threads) -> None:
    """Replace the endpoint in the closure that `starlette.routing.request_response` has made."""
    endpoint, app = getattr(route, "endpoint", None), getattr(route, "app", None)
    if type(route).__module__ != "starlette.routing" or not isinstance(app, FunctionType):
        return
    cells = dict(zip(app.__code__.co_freevars, app.__closure__ or (), strict=True))
    cell = cells.get("f")
    if cell is None or cell.cell_contents is not endpoint or not is_offloadable(endpoint):
        return
    function = cast(Callable[..., Awaitable[Any]], endpoint)

    async def offloadable(request: Any) -> Any:
        if worker.is_offloaded():
            return await threads.submit(_drive_with, (function, request), None, False)
        return await function(request)

    cell.cell_contents = offloadable


def _drive_with(function: Callable[..., Any], request: Any) -> Any:
    return drive(lambda: function(request), {})
