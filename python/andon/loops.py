"""The worker's event loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any


def new_loop(kind: str) -> asyncio.AbstractEventLoop:
    """Make the loop that ``kind`` names: ``uvloop``, ``asyncio``, or ``auto``.

    ``auto`` is uvloop where it is installed.
    """
    if kind != "asyncio":
        try:
            import uvloop
        except ImportError:
            if kind == "uvloop":
                raise
        else:
            return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def run(main: Coroutine[Any, Any, int], loop: asyncio.AbstractEventLoop) -> int:
    """Run ``main`` to its end and clean up, as `asyncio.run` does.

    That one takes no loop before Python 3.12.
    """
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main)
    finally:
        try:
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
