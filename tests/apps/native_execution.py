"""A FastAPI application whose routes say how they are executed."""

import asyncio
import contextvars
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from types import FrameType
from typing import Annotated, Any

import anyio.from_thread
import anyio.to_thread
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response, Security
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.security import HTTPBearer, SecurityScopes
from journal import record, wait_for_gate
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

app = FastAPI()
noted: contextvars.ContextVar[str] = contextvars.ContextVar("noted", default="nothing")


def has_framework(frame: FrameType | None) -> bool:
    """Whether FastAPI's own code is among the callers."""
    while frame is not None:
        if "fastapi" in frame.f_globals.get("__name__", "").split("."):
            return True
        frame = frame.f_back
    return False


def how() -> dict[str, Any]:
    """Say who calls, on which thread."""
    name = threading.current_thread().name
    return {"native": not has_framework(sys._getframe(1)), "thread": name}


@app.get("/how/async")
async def how_async() -> dict[str, Any]:
    return how()


@app.get("/how/def")
def how_def() -> dict[str, Any]:
    return how()


def first() -> str:
    noted.set("first")
    return threading.current_thread().name


def second(before: Annotated[str, Depends(first)]) -> Iterator[list[str]]:
    record("opened", thread=threading.current_thread().name)
    yield [before, threading.current_thread().name, noted.get()]
    record("closed", thread=threading.current_thread().name)


bearer = HTTPBearer()


@app.get("/chain")
def chain(
    before: Annotated[list[str], Depends(second)],
    credentials: Annotated[Any, Security(bearer)],
    request: Request,
    response: Response,
) -> dict[str, Any]:
    """All of it can run on one thread."""
    response.headers["x-path"] = request.url.path
    names = [*before[:2], threading.current_thread().name]
    return {"threads": len(set(names)), "noted": before[2], "token": credentials.credentials}


async def sets_context() -> None:
    noted.set("by a coroutine")


@app.get("/mixed")
def mixed(
    nothing: Annotated[None, Depends(sets_context)], name: Annotated[str, Depends(first)]
) -> dict[str, Any]:
    """A coroutine on the loop, two functions on threads."""
    return {"noted": noted.get(), "on_thread": name.startswith("andon-")}


@app.get("/from-thread")
def from_thread() -> dict[str, Any]:
    """Calls back into the loop from the thread that it runs on."""

    async def on_loop() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    return {"loop": anyio.from_thread.run(on_loop), "own": threading.current_thread().name}


class Numbers(BaseModel):
    """A body."""

    numbers: list[int]


@app.post("/sum")
async def add(body: Numbers) -> int:
    return sum(body.numbers)


@app.post("/sum/def")
def add_on_thread(body: Numbers) -> int:
    return sum(body.numbers)


@app.get("/large")
async def large(length: int, tasks: BackgroundTasks) -> PlainTextResponse:
    tasks.add_task(record, "after the large answer")
    return PlainTextResponse("x" * length)


@app.get("/large/def")
def large_on_thread(length: int, tasks: BackgroundTasks) -> list[str]:
    tasks.add_task(record, "after the large answer of a thread")
    return ["x" * length]


@app.get("/background")
def background(tasks: BackgroundTasks) -> str:
    """On a thread, with something for the loop to do afterwards."""

    async def later() -> None:
        await wait_for_gate("background")
        record("later", thread=threading.current_thread().name)

    tasks.add_task(later)
    return "scheduled"


async def waits(gate: str) -> AsyncIterator[str]:
    record("waits", gate=gate)
    try:
        await wait_for_gate(gate)
        yield gate
    except BaseException as error:
        record("ended by", gate=gate, error=type(error).__name__)
        raise
    finally:
        record("ended", gate=gate)


@app.get("/wait")
async def wait(gate: Annotated[str, Depends(waits)]) -> dict[str, Any]:
    await wait_for_gate(f"{gate}-endpoint")
    return {"gate": gate, "task": asyncio.current_task() is not None}


class Handled(Exception):
    """Has a handler of the application's own."""


@app.exception_handler(Handled)
async def handle(request: Request, error: Handled) -> PlainTextResponse:
    handled = sys.exc_info()[1]
    return PlainTextResponse(f"{request.url.path} {handled is error}", status_code=418)


@app.get("/raise/{kind}")
async def raise_async(kind: str) -> None:
    raise KINDS[kind]


@app.get("/raise-def/{kind}")
def raise_on_thread(kind: str) -> None:
    raise KINDS[kind]


KINDS: dict[str, Exception] = {
    "http": HTTPException(409, "a conflict"),
    "handled": Handled("mine"),
    "stop": StopIteration("over"),
    "other": ValueError("unhandled of native execution"),
}


@app.get("/stream")
def stream() -> StreamingResponse:
    """Made on a thread, sent by the loop."""
    return StreamingResponse(iter(["a", "b", "c"]), media_type="text/plain")


async def overridden() -> str:
    return "plain"


@app.get("/overridden")
async def override(value: Annotated[str, Depends(overridden)]) -> dict[str, Any]:
    return {"value": value, **how()}


@app.post("/override")
async def set_override(on: bool) -> None:
    if on:
        app.dependency_overrides[overridden] = lambda: "overridden"
    else:
        app.dependency_overrides.clear()


@app.post("/limit")
async def set_limit(tokens: int) -> None:
    """Set anyio's limiter, as applications do to have more threads or fewer."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = tokens


@app.get("/borrowed")
def borrowed() -> float:
    """Say how many of the limiter's tokens are taken."""

    async def count() -> float:
        return anyio.to_thread.current_default_thread_limiter().borrowed_tokens

    return anyio.from_thread.run(count)


def scoped(scopes: SecurityScopes) -> list[str]:
    return scopes.scopes


@app.get("/scopes")
async def read_scopes(
    scopes: Annotated[list[str], Security(scoped, scopes=["one", "two"])],
) -> list[str]:
    return await run_in_threadpool(list, scopes)
