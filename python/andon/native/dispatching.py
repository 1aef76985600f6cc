"""What `BaseHTTPMiddleware` needs of Python, where it runs in Rust: bodies, ends of Tasks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread
from anyio._backends import _asyncio as backend

from andon.threads import Called

# What a scope of anyio has, beside what is documented, and is used here.
_OF_SCOPES = ("_child_scopes", "_host_task", "_parent_scope", "_tasks")


def is_supported() -> bool:
    """Whether anyio has all that is used of it here."""
    try:
        state = backend.TaskState(None, None)
        task_states: Any = backend._task_states
        scope = backend.CancelScope()
    except (AttributeError, TypeError):
        return False
    has_states = hasattr(state, "cancel_scope") and hasattr(task_states, "pop")
    return has_states and all(hasattr(scope, name) for name in _OF_SCOPES)


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


async def send_in_turn(send: Callable[[Any], Awaitable[Any]], message: Any) -> None:
    """Send as a memory stream of anyio does, which first lets a cancellation take effect."""
    await asyncio.sleep(0)
    await send(message)


class _Ending(backend.CancelScope):
    """What a Task is in while it is being ended; shields it for as long as FastAPI would."""


async def end(tasks: "list[asyncio.Task[Any]]") -> None:
    """Cancel Tasks until they have ended, as a task group of anyio does when it is left.

    Each comes into a scope that is cancelled, as it would always have been in the task group's. So
    anyio cancels it wherever it waits, but for where it is shielded.
    """
    running = [task for task in tasks if not task.done()]
    for task in running:
        _adopt(task).cancel()
    waiting = set(running)
    while waiting:
        try:
            _, waiting = await asyncio.wait(waiting)
        except asyncio.CancelledError:
            # They are being cancelled already.
            continue
    for task in running:
        # By way of its scopes the state of a Task holds the Task, which alone would let go of it.
        backend._task_states.pop(task, None)


def _adopt(task: "asyncio.Task[Any]") -> Any:
    """Put two scopes around all scopes of a Task, and return the outer one."""
    cancelled: Any = backend.CancelScope()
    inner: Any = task.get_coro()
    inner.tell_ending()
    ending: Any = _Ending(shield=inner.exiting)
    cancelled._host_task = ending._host_task = task
    _put_into(cancelled, ending)
    state = backend._task_states.get(task)
    if state is None:
        state = backend._task_states[task] = backend.TaskState(None, None)
    if state.cancel_scope is None:
        state.cancel_scope = ending
        ending._tasks.add(task)
        _shield_call(task, ending)
        return cancelled
    outermost: Any = state.cancel_scope
    while outermost._parent_scope is not None:
        outermost = outermost._parent_scope
    _put_into(ending, outermost)
    return cancelled


def _put_into(scope: Any, inner: Any) -> None:
    inner._parent_scope = scope
    scope._child_scopes.add(inner)


def _shield_call(task: "asyncio.Task[Any]", ending: Any) -> None:
    """Shield a Task that waits for a call on a thread outside of all scopes."""
    waits_for = getattr(task, "_fut_waiter", None)
    if ending.shield or not isinstance(waits_for, Called):
        return
    ending.shield = True

    def called(_: "asyncio.Future[Any]") -> None:
        # The Task has gone on by now.
        inner: Any = task.get_coro()
        if not inner.exiting:
            ending.shield = False
            if task in ending._tasks:
                _shield_call(task, ending)

    waits_for.add_done_callback(called)


def shield_exit(begins: bool) -> None:
    """Shield the Task if it is being ended, for as long as it closes a dependency."""
    task = asyncio.current_task()
    state = None if task is None else backend._task_states.get(task)
    scope: Any = None if state is None else state.cancel_scope
    while scope is not None and not isinstance(scope, _Ending):
        scope = scope._parent_scope
    if scope is not None:
        scope.shield = begins


async def exit_on_thread(exit_: Callable[[], Any]) -> Any:
    """Close on a thread, for which nothing has to wait, as FastAPI does."""
    return await anyio.to_thread.run_sync(exit_, limiter=anyio.CapacityLimiter(1))
