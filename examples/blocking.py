"""Routes which hold an event loop, the GIL or a thread, beside those which only wait.

Each says which process and which thread answered, and how long it took.
"""

import asyncio
import os
import threading
import time
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

router = APIRouter(prefix="/blocking", tags=["blocking"])
Seconds = Annotated[float, Query(gt=0, le=60)]


class Ran(BaseModel):
    """Where and how long a route ran."""

    route: str
    pid: int
    thread: int
    seconds: float


def ran(route: str, since: float) -> Ran:
    """Describe the call which began at this time."""
    return Ran(
        route=route,
        pid=os.getpid(),
        thread=threading.get_native_id(),
        seconds=round(time.perf_counter() - since, 4),
    )


def burn(seconds: float) -> None:
    """Use the processor, and with it the GIL, for so many seconds of this thread's own time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))


@router.get("/fast")
async def fast() -> Ran:
    """Answers at once: the one that suffers when another holds its event loop."""
    return ran("fast", time.perf_counter())


@router.get("/fast-def")
def fast_def() -> Ran:
    """Answers at once, from a thread."""
    return ran("fast-def", time.perf_counter())


@router.get("/async-sleep")
async def async_sleep(seconds: Seconds = 1.0) -> Ran:
    """Waits and lets others run: how it should be done in `async def`."""
    since = time.perf_counter()
    await asyncio.sleep(seconds)
    return ran("async-sleep", since)


@router.get("/sleep-in-def")
def sleep_in_def(seconds: Seconds = 1.0) -> Ran:
    """Waits on a thread: how it should be done where the library blocks."""
    since = time.perf_counter()
    time.sleep(seconds)
    return ran("sleep-in-def", since)


@router.get("/sleep-in-async-def")
async def sleep_in_async_def(seconds: Seconds = 1.0) -> Ran:
    """Holds its event loop while it waits: every other coroutine of the process stands still."""
    since = time.perf_counter()
    time.sleep(seconds)
    return ran("sleep-in-async-def", since)


@router.get("/cpu-in-async-def")
async def cpu_in_async_def(seconds: Seconds = 0.5) -> Ran:
    """Holds its event loop and the GIL."""
    since = time.perf_counter()
    burn(seconds)
    return ran("cpu-in-async-def", since)


@router.get("/cpu-in-def")
def cpu_in_def(seconds: Seconds = 0.5) -> Ran:
    """Holds the GIL from a thread: the loop beside it lives, but gets little."""
    since = time.perf_counter()
    burn(seconds)
    return ran("cpu-in-def", since)


@router.get("/await-then-sleep")
async def await_then_sleep(seconds: Seconds = 1.0) -> Ran:
    """Waits as it should, then holds its event loop: such a one can be overtaken in between."""
    since = time.perf_counter()
    await asyncio.sleep(seconds)
    time.sleep(seconds)
    return ran("await-then-sleep", since)
