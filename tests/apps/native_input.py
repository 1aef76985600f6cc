"""A FastAPI application that takes forms and files, limits bodies, and lets dependencies wait."""

import asyncio
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, File, Form, Request, UploadFile
from native_execution import how

app = FastAPI()
running = 0


@app.post("/login")
async def login(name: Annotated[str, Form()], tags: Annotated[list[str], Form()]) -> Any:
    return {"name": name, "tags": tags, **how()}


@app.post("/file")
def file(file: UploadFile, data: Annotated[bytes, File()], request: Request) -> Any:
    in_memory = not getattr(file.file, "_rolled", True)
    return {"size": file.size, "memory": in_memory, "data": len(data), **how()}


@app.post("/limited", max_body_size=10)
async def limited(data: Annotated[bytes, Body()]) -> Any:
    return {"size": len(data), **how()}


@app.post("/limited/def", max_body_size=10)
def limited_function(data: Annotated[bytes, Body()], request: Request) -> Any:
    return {"size": len(data), "limit": request.scope["starlette.max_body_size"], **how()}


async def alone() -> int:
    """Say how many run at the same time as itself."""
    global running
    running += 1
    await asyncio.sleep(0.05)
    seen, running = running, running - 1
    return seen


ALONE = Depends(alone, max_concurrency=1)


@app.get("/alone")
async def natively_alone(count: Annotated[int, ALONE]) -> Any:
    return {"count": count, **how()}


@app.get("/alone/def")
def alone_on_thread(count: Annotated[int, ALONE]) -> Any:
    return {"count": count, **how()}


@app.get("/alone/asgi")
async def alone_by_framework(count: Annotated[int, ALONE]) -> Any:
    return {"count": count, **how()}


# What wraps its handler is not known, so that FastAPI serves it.
by_framework: Any = app.router.routes[-1]
wrapped = by_framework.app


async def wrapping(scope: Any, receive: Any, send: Any) -> None:
    """Do nothing more than pass the request on."""
    await wrapped(scope, receive, send)


by_framework.app = wrapping
