"""A FastAPI application whose endpoints hold the event loop, threads, or the GIL."""

import asyncio
import contextvars
import gc
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import andon
import anyio.from_thread
import anyio.to_thread
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

app = FastAPI()
lock = threading.Lock()
variable = contextvars.ContextVar("variable", default="unset")
counts = {"running": 0, "most": 0}
# What a collection has to walk through: some 30 ms.
heap: list[Any] = [[number] for number in range(500_000)]


def spin(seconds: float) -> None:
    """Compute."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


class Behind(BaseHTTPMiddleware):
    """Runs what is behind it in a Task of its own."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)


@app.get("/light")
async def light() -> str:
    return "light"


@app.get("/light-def")
def light_def() -> str:
    return threading.current_thread().name


@app.get("/sleep")
async def sleep_on_the_loop(seconds: float) -> str:
    time.sleep(seconds)
    return threading.current_thread().name


@app.get("/spin")
async def spin_on_the_loop(seconds: float) -> str:
    spin(seconds)
    return "spun"


@app.get("/sleep-def")
def sleep_on_a_thread(seconds: float) -> str:
    time.sleep(seconds)
    return "slept"


@app.get("/spin-def")
def spin_on_a_thread(seconds: float) -> int:
    with lock:
        counts["running"] += 1
        counts["most"] = max(counts["most"], counts["running"])
    spin(seconds)
    with lock:
        counts["running"] -= 1
    return counts["most"]


@app.get("/spin-then-sleep-def")
def compute_and_wait_on_a_thread(seconds: float) -> str:
    spin(0.05)
    time.sleep(seconds)
    return "done"


@app.get("/hold-gil")
async def hold_the_gil() -> str:
    # One call of C code that does not give the GIL up, of some 0.3 s.
    sorted(range(4_000_000, 0, -1), key=str)
    return "held"


@app.get("/hold-gil-def")
def hold_the_gil_on_a_thread() -> str:
    # Backtracking: exponential in the length, and in one call.
    re.match(r"(a+)+$", "a" * 25 + "b")
    return "held"


@app.get("/collect")
async def collect() -> int:
    return sum(gc.collect() for _ in range(12))


@app.get("/wait-for-lock")
async def wait_for_lock() -> str:
    taken = threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            time.sleep(0.4)

    threading.Thread(target=hold).start()
    taken.wait()
    with lock:
        return "locked"


@app.get("/import")
async def import_late() -> str:
    import slow_to_import

    return slow_to_import.__name__


@app.get("/suspend")
async def suspend() -> str:
    await asyncio.sleep(60)
    return "never"


@app.get("/after-answer")
async def after_answer(background: BackgroundTasks) -> str:
    background.add_task(count_later)
    return "answered"


async def count_later() -> None:
    await asyncio.sleep(0.2)
    counts["later"] = 1


@app.get("/counted-later")
async def counted_later() -> int:
    return counts.pop("later", 0)


@app.get("/unused-task")
async def unused_task() -> str:
    asyncio.get_running_loop().create_task(asyncio.sleep(0))
    return threading.current_thread().name


@app.get("/from-thread")
def from_thread() -> str:
    return anyio.from_thread.run(_on_the_loop)


async def _on_the_loop() -> str:
    return threading.current_thread().name


@app.get("/context")
async def context() -> list[str]:
    variable.set("seen")
    found = await anyio.to_thread.run_sync(variable.get)
    await anyio.to_thread.run_sync(variable.set, "lost")
    return [found, variable.get()]


@app.get("/stop-iteration")
async def stop_iteration() -> str:
    try:
        await anyio.to_thread.run_sync(next, iter(()))
    except RuntimeError as error:
        return str(error)
    return "nothing was raised"


@app.get("/abandon")
async def abandon() -> float:
    began = time.monotonic()
    with anyio.move_on_after(0.05):
        await anyio.to_thread.run_sync(time.sleep, 1.0, abandon_on_cancel=True)
    return time.monotonic() - began


@app.get("/shielded")
async def shielded() -> float:
    began = time.monotonic()
    with anyio.move_on_after(0.05):
        await anyio.to_thread.run_sync(time.sleep, 0.3)
    return time.monotonic() - began


@app.get("/limited")
async def limited(tokens: int, calls: int) -> int:
    limiter = anyio.to_thread.current_default_thread_limiter()
    before = limiter.total_tokens
    limiter.total_tokens = tokens
    counts = {"running": 0, "most": 0}

    def call() -> None:
        with lock:
            counts["running"] += 1
            counts["most"] = max(counts.values())
        time.sleep(0.05)
        with lock:
            counts["running"] -= 1

    async with anyio.create_task_group() as group:
        for _ in range(calls):
            group.start_soon(anyio.to_thread.run_sync, call)
    limiter.total_tokens = before
    return counts["most"]


def session() -> Iterator[str]:
    yield hashlib.sha256(b"session").hexdigest()


@app.get("/dependency")
def dependency(value: str = Depends(session)) -> str:
    return value


@app.get("/ruled")
@andon.route(run="heavy", concurrency=4, timeout=30, priority="low")
async def ruled() -> str:
    return json.dumps({})


router = APIRouter(prefix="/inner")


@router.get("/{item_id}")
async def included(item_id: int) -> int:
    return item_id


outer = APIRouter(prefix="/outer")
outer.include_router(router)
app.include_router(outer)


@app.websocket("/ws/{name}")
async def websocket(websocket: WebSocket, name: str) -> None:
    await websocket.accept()


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(threading.current_thread().name)


mounted = Starlette(
    routes=[Route("/page/{name}", page), Mount("/deep", routes=[Route("/p", page)])]
)
app.mount("/mounted", mounted)
app.router.routes.append(Route("/page", page))
behind = Behind(app)
