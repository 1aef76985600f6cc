"""Plain FastAPI routes of E2, E5, overload and the kill case: the same wait, written in three ways,
a route that answers at once, and one that burns a processor on a thread.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

app = FastAPI()
counting = threading.Lock()
burning = 0


@contextmanager
def counted() -> Iterator[int]:
    """How many burns have begun in this process and not ended, this one included."""
    global burning
    with counting:
        burning += 1
        now = burning
    try:
        yield now
    finally:
        with counting:
            burning -= 1


@app.get("/fast")
async def fast() -> dict[str, str]:
    return {"waited": "not at all"}


@app.get("/await")
async def awaits(seconds: float) -> dict[str, str]:
    await asyncio.sleep(seconds)
    return {"waited": "await asyncio.sleep"}


@app.get("/thread")
def waits_in_a_thread(seconds: float) -> dict[str, str]:
    time.sleep(seconds)
    return {"waited": "def + time.sleep"}


@app.get("/lock")
async def holds_the_loop(seconds: float) -> dict[str, str]:
    time.sleep(seconds)
    return {"waited": "async def + time.sleep"}


@app.get("/burn")
def burns(seconds: float) -> dict[str, int]:
    with counted() as together:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass
    return {"together": together}
