"""Answers that come in pieces: lines of JSON, server-sent events, raw streams, files."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from tests.parity.cases.case import case, get, send

FILE = Path(__file__).parent / "frontend" / "file.txt"


class Item(BaseModel):
    number: float


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/lines")
    async def lines() -> AsyncIterable[Item]:
        for number in (1.0, 1e-05, float("nan")):
            yield Item(number=number)

    @app.get("/lines-on-thread")
    def lines_on_thread() -> Iterable[Any]:
        yield {"a": 1}
        yield None

    @app.get("/wrong-lines")
    async def wrong_lines() -> AsyncIterable[int]:
        yield 1
        yield "x"  # type: ignore[misc]

    @app.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterable[Any]:
        yield {"a": 1}
        yield ServerSentEvent(data="text", event="named", id="1", retry=5)
        yield ServerSentEvent(raw_data="two\nlines", comment="c")

    @app.get("/raw", response_class=StreamingResponse)
    async def raw() -> AsyncIterable[bytes]:
        yield b"a"
        yield b""
        yield b"b"

    @app.get("/returned")
    async def returned() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            yield "é"

        return StreamingResponse(pieces(), media_type="text/plain")

    @app.get("/fails")
    async def fails() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            raise ValueError("on the way")

        return StreamingResponse(pieces())

    @app.api_route("/file", methods=["GET", "HEAD"])
    async def file() -> FileResponse:
        return FileResponse(FILE, filename="é.txt")

    @app.get("/file-class", response_class=FileResponse)
    async def file_class() -> Any:
        return FILE

    return app


app = make()

CASES = [
    case("lines of JSON", get("/lines"), get("/lines-on-thread")),
    case("a wrong line", get("/wrong-lines", 200, raises="ResponseValidationError")),
    case("events", get("/events")),
    case("raw", get("/raw"), get("/returned")),
    case("a stream that fails", get("/fails", 200, raises="ValueError")),
    case("a file", get("/file"), send("HEAD", "/file", 200), get("/file-class")),
    case(
        "ranges",
        get("/file", 206, ("range", "bytes=1-2")),
        get("/file", 416, ("range", "bytes=90-")),
    ),
]
