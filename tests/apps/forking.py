"""A FastAPI application whose endpoints fork, and do not end their children."""

import asyncio
import multiprocessing
import os
import sys
import time

from fastapi import FastAPI
from journal import record

app = FastAPI()

# Long enough for the child to come back to the server first.
PARENT_LATER_SECONDS = 0.2


def come_back(how: str) -> str:
    """In the child: leave the endpoint."""
    record("forked")
    if how == "exit":
        sys.exit(3)
    if how == "raise":
        raise ValueError("in the child")
    return "child"


@app.get("/thread/{how}")
def on_thread(how: str) -> list[int] | str:
    """Fork on a thread; the answer is the child's exit code."""
    child = os.fork()
    if child == 0:
        return come_back(how)
    time.sleep(PARENT_LATER_SECONDS)
    return [os.getpid(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


@app.get("/loop/{how}")
async def on_loop(how: str) -> list[int] | str:
    """Fork on the event loop; the answer is the child's exit code."""
    child = os.fork()
    if child == 0:
        return come_back(how)
    await asyncio.sleep(PARENT_LATER_SECONDS)
    return [os.getpid(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


@app.get("/terminate")
def terminate() -> int | None:
    """Terminate a process of `multiprocessing`; the answer is its exit code."""
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    process.start()
    process.terminate()
    process.join(10)
    code = process.exitcode
    process.kill()
    return code


@app.get("/pid")
async def pid() -> int:
    """Return which process answers."""
    return os.getpid()
