"""A FastAPI application whose answers come in pieces, of all kinds, by native routes."""

import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from types import FrameType
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.sse import EventSourceResponse
from journal import block_until_gate, record, wait_for_gate

app = FastAPI()
PIECE = "x" * 65_536
LARGE = 64 << 20


def framework() -> bool:
    """Whether FastAPI's own code is among the callers."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("fastapi."):
            return True
        frame = frame.f_back
    return False


async def kept(name: str, tasks: BackgroundTasks) -> AsyncIterator[str]:
    tasks.add_task(record, "step", name=name, step="background")
    yield name
    record("step", name=name, step="closed")


Name = Annotated[str, Depends(kept)]


async def pieces(name: str, count: int) -> AsyncIterator[str]:
    try:
        yield "with the framework" if framework() else "native"
        await wait_for_gate(name)
        for number in range(count):
            record("sent", name=name, pieces=number)
            yield PIECE
    finally:
        record("step", name=name, step="ended")


def pieces_on_thread(name: str, count: int) -> Iterator[str]:
    try:
        yield "with the framework" if framework() else "native"
        block_until_gate(name)
        for number in range(count):
            record("sent", name=name, pieces=number)
            yield PIECE
    finally:
        record("step", name=name, step="ended")


def add(path: str, response_class: Any) -> None:
    options = {"response_class": response_class} if response_class else {}

    @app.get(f"/{path}", **options)
    async def on_loop(name: Name, count: int = 0) -> AsyncIterable[str]:
        async for piece in pieces(name, count):
            yield piece

    @app.get(f"/{path}-on-thread", **options)
    def on_thread(name: Name, count: int = 0) -> Iterable[str]:
        yield from pieces_on_thread(name, count)


add("lines", None)
add("events", EventSourceResponse)
add("raw", StreamingResponse)


def add_returned(path: str, make: Callable[..., Any]) -> None:
    @app.get(f"/{path}")
    async def on_loop(name: Name, count: int = 0) -> StreamingResponse:
        return StreamingResponse(make(name, count))

    @app.get(f"/{path}-by-def")
    def on_thread(name: Name, count: int = 0) -> StreamingResponse:
        return StreamingResponse(make(name, count))


add_returned("returned", pieces)
add_returned("returned-on-thread", pieces_on_thread)


@app.get("/file")
async def file() -> FileResponse:
    # Where the worker runs, which is the folder of the test.
    with open("large", "wb") as large:
        large.truncate(LARGE)
    return FileResponse("large")
