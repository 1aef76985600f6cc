"""Andon's threads under anyio: `anyio.to_thread.run_sync` runs on them.

So do Starlette's ``run_in_threadpool``, ``def`` endpoints and dependencies of FastAPI, and files.
What anyio promises holds: a call runs in a copy of the context, cancellation waits for it unless it
may be abandoned, ``anyio.from_thread`` works in it, and a limiter bounds it. Only the default
limiter of 40 is replaced by Andon's own bound, as long as the application leaves it as it is.
"""

import asyncio
import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from andon import _andon

# The number of tokens of anyio's default limiter.
_DEFAULT_TOKENS = 40


class Called(asyncio.Future):  # type: ignore[type-arg]
    """What a call on a thread comes to; whoever has to know tells it from other futures by this."""


def install(threads: _andon.Threads, loop: asyncio.AbstractEventLoop) -> None:
    """Attach the threads to the loop; if anyio is imported, its work comes to them from now on."""
    backend = _backend()
    locals_ = threading.local() if backend is None else backend.threadlocals
    create_future = functools.partial(Called, loop=loop)
    spawn = _spawner(threads, backend, loop)
    threads.attach(loop, create_future, spawn, locals_, _preparation(backend))
    if backend is not None:
        _replace(backend, threads, loop)


def _preparation(backend: Any) -> Callable[[None], Any] | None:
    """Return what makes a call's context say that no asynchronous library runs it."""
    sniffio = sys.modules.get("sniffio")
    if backend is None or sniffio is None:
        return None
    prepare: Callable[[None], Any] = (
        backend.set_current_async_library
        if _is_recent(backend)
        else sniffio.current_async_library_cvar.set
    )
    return prepare


def _is_recent(backend: Any) -> bool:
    """Whether it is anyio 4.12 or later."""
    return hasattr(backend, "set_current_async_library")


def _spawner(
    threads: _andon.Threads, backend: Any, loop: asyncio.AbstractEventLoop
) -> Callable[[int], None]:
    """Return what starts a thread for a seat of the pool."""

    def run(number: int) -> None:
        claimed: AbstractContextManager[Any] = nullcontext()
        if backend is not None:
            claimed = backend.claim_worker_thread(backend.AsyncIOBackend, loop)
        with claimed:
            threads.work(number, threading.get_ident())

    def spawn(number: int) -> None:
        # Said, for it is called on a thread that Python did not start: those that such a thread
        # starts would be daemons, whose calls the end of the process cuts off.
        threading.Thread(target=run, args=(number,), name=f"andon-{number}", daemon=False).start()

    return spawn


def _backend() -> Any:
    """Return anyio's asyncio backend, if it is one whose workings are known."""
    if "anyio" not in sys.modules:
        return None
    try:
        backend: Any = importlib.import_module("anyio._backends._asyncio")
        parameters = inspect.signature(backend.AsyncIOBackend.run_sync_in_worker_thread).parameters
        claims = inspect.signature(backend.claim_worker_thread).parameters
        scopes = (backend.CancelScope, backend._task_states, backend.threadlocals)
    except (ImportError, AttributeError, ValueError):
        return None
    known = list(parameters) == ["func", "args", "abandon_on_cancel", "limiter"]
    return backend if known and list(claims) == ["backend_class", "token"] and scopes else None


def _replace(backend: Any, threads: _andon.Threads, loop: asyncio.AbstractEventLoop) -> None:
    original = backend.AsyncIOBackend.run_sync_in_worker_thread
    submit = threads.submit
    task_states = backend._task_states
    cancel_scope = backend.CancelScope
    running_loop = asyncio.get_running_loop
    current_task = asyncio.current_task
    # In older ones `anyio.from_thread.run` wants every call to have one.
    always_scoped = not _is_recent(backend)
    default: Any = None

    async def run_sync_in_worker_thread(
        cls: Any,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        abandon_on_cancel: bool = False,
        limiter: Any = None,
    ) -> Any:
        nonlocal default
        if running_loop() is not loop:
            return await original(func, args, abandon_on_cancel, limiter)
        if limiter is None:
            if default is None:
                default = cls.current_default_thread_limiter()
            if default.total_tokens == _DEFAULT_TOKENS:
                return await run(cls, func, args, abandon_on_cancel, False)
            limiter = default
        # Who gave a limiter decides how many run; what runs under it may be what others wait for.
        async with limiter:
            return await run(cls, func, args, abandon_on_cancel, True)

    async def run(
        cls: Any, func: Callable[..., Any], args: tuple[Any, ...], abandon: bool, urgent: bool
    ) -> Any:
        state = task_states.get(current_task())
        parent = state.cancel_scope if state is not None else None
        if parent is None and not abandon and not always_scoped:
            # There is no scope that could cancel it, so none to shield it from.
            return await submit(func, args, None, urgent)
        await cls.checkpoint_if_cancelled()
        with cancel_scope(shield=not abandon) as scope:
            seen = scope if abandon or parent is None else parent
            return await submit(func, args, seen, urgent)

    backend.AsyncIOBackend.run_sync_in_worker_thread = classmethod(run_sync_in_worker_thread)
