"""What `BaseHTTPMiddleware` needs of Python, where it runs in Rust: bodies, ends of Tasks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from anyio._backends import _asyncio as backend


async def body_stream(receive: Callable[[], Awaitable[Any]]) -> AsyncIterator[Any]:
    """Yield what Starlette's ``body_stream`` does; ``receive`` gives `None` at the end."""
    while (message := await receive()) is not None:
        if message["type"] == "http.response.pathsend":
            yield message
            break
        assert message["type"] == "http.response.body", f"Unexpected message: {message}"
        body = message.get("body", b"")
        if body:
            yield body
        if not message.get("more_body", False):
            break


async def end(tasks: "list[asyncio.Task[Any]]") -> None:
    """Cancel Tasks until they have ended, as a task group of anyio does when it is left.

    They are cancelled again wherever they wait, but for where they are shielded by a scope of
    anyio, as calls on threads are: these are waited for.
    """
    while running := [task for task in tasks if not task.done()]:
        shielded = [task for task in running if _is_shielded(task)]
        for task in running:
            if task not in shielded and _can_be_cancelled(task):
                task.cancel()
        awaited = [getattr(task, "_fut_waiter", None) for task in shielded]
        futures = [future for future in awaited if future is not None]
        try:
            if len(futures) == len(running):
                await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            # They are being cancelled already.
            continue


def _can_be_cancelled(task: "asyncio.Task[Any]") -> bool:
    """Whether it waits for what is not done (`CancelScope._deliver_cancellation`)."""
    if getattr(task, "_must_cancel", False):
        return False
    awaited = getattr(task, "_fut_waiter", None)
    return not isinstance(awaited, asyncio.Future) or not awaited.done()


def _is_shielded(task: "asyncio.Task[Any]") -> bool:
    """Whether a scope around what it does keeps cancellations off, or delivers them itself."""
    state = backend._task_states.get(task)
    scope: Any = None if state is None else state.cancel_scope
    while scope is not None:
        if scope.shield or scope.cancel_called:
            return True
        scope = scope._parent_scope
    return False
