"""A FastAPI application for what the server does with tasks, contexts, threads and exceptions."""

import asyncio
import contextvars
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.from_thread
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, UploadFile
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from journal import block_until_gate, record, wait_for_gate
from pydantic import BaseModel

app = FastAPI()
marked: contextvars.ContextVar[str] = contextvars.ContextVar("marked", default="unmarked")


class Item(BaseModel):
    """A body with a default, a constraint and a nested list."""

    name: str
    price: float
    tags: list[str] = []


class ItemOut(BaseModel):
    """What is left of it in the answer."""

    name: str
    total: float


class Unhandled(Exception):
    """Raised by routes, without a handler."""


class Handled(Exception):
    """Raised by routes, with a handler."""


@app.exception_handler(Handled)
async def handle(_: Request, error: Handled) -> PlainTextResponse:
    """Answer instead of a 500."""
    return PlainTextResponse(f"handled {error}", status_code=418)


@app.get("/items/{item_id}")
async def read_item(item_id: int, q: str | None = None, limit: int = 10) -> dict[str, Any]:
    """Path and query parameters."""
    return {"item_id": item_id, "q": q, "limit": limit}


@app.post("/items", status_code=201)
def create_item(item: Item) -> ItemOut:
    """Body and response model, in a thread."""
    return ItemOut(name=item.name, total=round(item.price * (1 + len(item.tags)), 2))


@app.post("/upload")
async def upload(file: UploadFile) -> dict[str, Any]:
    """A form with a file."""
    content = await file.read()
    return {"name": file.filename, "size": len(content)}


# --- contexts and tasks


@app.get("/context/async")
async def context_async(mark: str, gate: str) -> dict[str, str]:
    """Sets a context variable, waits, and says what is in it before and after."""
    before = marked.get()
    marked.set(mark)
    record("marked", mark=mark)
    await wait_for_gate(gate)
    return {"before": before, "after": marked.get()}


@app.get("/context/sync")
def context_sync(mark: str) -> dict[str, str]:
    """The same on a thread, which the next request may get."""
    before = marked.get()
    marked.set(mark)
    return {"before": before, "after": marked.get()}


async def set_mark() -> AsyncIterator[None]:
    """A dependency which leaves something in the context."""
    marked.set("by a dependency")
    yield


@app.get("/context/dependency")
async def context_dependency(_: Annotated[None, Depends(set_mark)]) -> dict[str, str]:
    """What a dependency set is seen by its route."""
    return {"mark": marked.get()}


@app.get("/task")
async def task(gate: str) -> dict[str, int | str]:
    """The identity of the running task, while others run as well."""
    current = asyncio.current_task()
    assert current is not None
    first = id(current)
    record("task", id=first)
    await wait_for_gate(gate)
    assert asyncio.current_task() is current
    return {"id": first, "type": type(current).__name__}


@app.get("/task/cancel-others")
async def cancel_scope() -> dict[str, bool | float]:
    """Cancel scopes of anyio, and time-outs of asyncio, inside a handler."""
    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep_forever()
    timed_out = False
    try:
        if sys.version_info >= (3, 11):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        else:
            await asyncio.wait_for(asyncio.sleep(60), 0.01)
    except asyncio.TimeoutError:
        timed_out = True
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0)
        group.cancel_scope.cancel()
    return {"cancelled": scope.cancelled_caught, "timed_out": timed_out}


@app.get("/task/in-middleware-style-group")
async def nested_group() -> list[int]:
    """A task group which runs several children to their end."""
    results = [0, 0, 0]

    async def child(number: int) -> None:
        await asyncio.sleep(0)
        results[number] = number + 1

    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(child, number)
    return results


@app.get("/thread/from-thread")
def from_thread() -> dict[str, bool]:
    """A `def` route which runs code on its event loop."""
    on_loop = anyio.from_thread.run_sync(threading.get_ident)
    return {"other_thread": on_loop != threading.get_ident()}


@app.get("/thread/hold")
def hold_thread(gate: str) -> dict[str, int]:
    """Holds a thread until the gate is open."""
    record("thread held", gate=gate)
    block_until_gate(gate)
    return {"thread": threading.get_ident()}


@app.get("/pid")
async def pid() -> int:
    """Which process answers."""
    return os.getpid()


@app.get("/pid/hold")
async def hold_loop(gate: str) -> int:
    """Waits for the gate without holding the loop."""
    record("holding", gate=gate)
    await wait_for_gate(gate)
    return os.getpid()


@app.get("/pid/block")
async def block_loop(gate: str) -> int:
    """Holds the event loop until the gate is open."""
    record("loop held", gate=gate)
    block_until_gate(gate)
    return os.getpid()


# --- answers


@app.get("/stream")
async def stream(count: int) -> StreamingResponse:
    """An asynchronous generator."""

    async def parts() -> AsyncIterator[str]:
        for number in range(count):
            yield f"part {number}\n"
            await asyncio.sleep(0)

    return StreamingResponse(parts(), media_type="text/plain")


@app.get("/stream/sync")
def stream_sync(count: int) -> StreamingResponse:
    """A generator, which Starlette runs on threads."""

    def parts() -> Iterator[str]:
        for number in range(count):
            yield f"part {number}\n"

    return StreamingResponse(parts(), media_type="text/plain")


@app.get("/events")
async def events(gate: str) -> StreamingResponse:
    """One event at once, another when the gate is open, then more until it is cancelled."""

    async def parts() -> AsyncIterator[str]:
        try:
            yield "id: 1\nevent: first\ndata: one\n\n"
            await wait_for_gate(gate)
            yield "id: 2\ndata: two\ndata: lines\n\n"
            number = 2
            while True:
                number += 1
                await asyncio.sleep(0.01)
                yield f"id: {number}\ndata: more\n\n"
        finally:
            record("events ended", gate=gate)

    return StreamingResponse(parts(), media_type="text/event-stream")


@app.get("/file")
async def file(path: str) -> FileResponse:
    """A file, by Starlette's response, which uses pathsend where the server offers it."""
    return FileResponse(Path(path), media_type="application/octet-stream")


@app.post("/background")
async def background(gate: str, tasks: BackgroundTasks) -> str:
    """Two tasks after the answer: one on the loop, one on a thread."""

    async def on_loop() -> None:
        await wait_for_gate(gate)
        record("background on the loop", gate=gate)

    def on_thread() -> None:
        block_until_gate(gate)
        record("background on a thread", gate=gate)

    tasks.add_task(on_loop)
    tasks.add_task(on_thread)
    return "scheduled"


@app.post("/background/raise")
async def background_raise(tasks: BackgroundTasks) -> str:
    """A task after the answer which raises."""

    def fail() -> None:
        raise Unhandled("in the background")

    tasks.add_task(fail)
    return "scheduled"


# --- exceptions


@app.get("/raise/async")
async def raise_async() -> None:
    """An exception in a coroutine."""
    raise Unhandled("in a coroutine")


@app.get("/raise/sync")
def raise_sync() -> None:
    """An exception in a thread."""
    raise Unhandled("in a thread")


@app.get("/raise/handled")
async def raise_handled() -> None:
    """An exception with a handler."""
    raise Handled("well")


@app.get("/raise/http")
def raise_http() -> None:
    """FastAPI's own."""
    raise HTTPException(409, "conflict", headers={"X-Why": "taken"})


@app.get("/raise/group")
async def raise_group() -> None:
    """An exception group from a task group."""

    async def fail() -> None:
        raise Unhandled("in a group")

    async with anyio.create_task_group() as group:
        group.start_soon(fail)


def yielding() -> Iterator[str]:
    """A dependency which records what it sees of the route's end."""
    try:
        yield "resource"
    except Unhandled as error:
        record("dependency saw", error=str(error))
        raise
    finally:
        record("dependency ended")


@app.get("/raise/dependency")
def raise_past_dependency(resource: Annotated[str, Depends(yielding)]) -> None:
    """An exception which passes through a dependency."""
    raise Unhandled(f"with {resource}")
