"""`GZipMiddleware` as the only middleware: what is compressed, and what is not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.middleware.gzip import GZipMiddleware

from tests.parity.cases.case import Case, Step, case, get, post, send
from tests.parity.generated.prelude import Odd, note

router = APIRouter()
FOLDER = Path(__file__).parent / "frontend"
LONG = "abcdefghij" * 300
# More than a thread takes.
HUGE = "0123456789abcdef" * 9000


@router.get("/json/{size}")
async def of_size(size: int) -> str:
    note("endpoint")
    return "x" * size


@router.get("/thread/{size}")
def on_thread(size: int, response: Response) -> dict[str, str]:
    response.headers["vary"] = "Accept"
    response.headers["x-token"] = "1"
    return {"text": "é" * size}


@router.get("/huge")
async def huge() -> str:
    return HUGE


@router.get("/huge-on-thread")
def huge_on_thread() -> str:
    return HUGE


@router.get("/typed")
async def typed(request: Request) -> Response:
    return Response(LONG, media_type=request.query_params.get("type"))


@router.get("/headed/{name}")
async def headed(name: str, value: str, status: int = 200) -> Response:
    response = PlainTextResponse(LONG, status)
    response.headers.append("Vary", "Accept")
    response.headers.append("Vary", "Cookie")
    response.headers.append(name, value)
    return response


@router.get("/bare")
async def bare() -> Response:
    response = Response(LONG)
    response.raw_headers = []
    return response


@router.get("/empty/{status}")
async def empty(status: int) -> Response:
    return Response(status_code=status)


@router.get("/views")
async def views() -> Response:
    response = Response(media_type="text/plain")
    response.body = memoryview(LONG.encode())
    return response


SHARED = PlainTextResponse(LONG)


@router.get("/shared")
async def shared() -> Response:
    return SHARED


@router.get("/later")
async def later(tasks: BackgroundTasks) -> Response:
    response = PlainTextResponse(LONG)
    tasks.add_task(lambda: note("headers", response.raw_headers, len(response.body)))
    return response


@router.get("/lines")
async def lines() -> AsyncIterator[dict[str, str]]:
    for number in range(3):
        yield {"text": f"{number}{LONG}"}


@router.get("/stream")
async def stream(kind: str = "text/plain") -> StreamingResponse:
    return StreamingResponse(iter(["a", "", LONG, "b"]), headers={"vary": "X"}, media_type=kind)


@router.get("/file")
async def file() -> FileResponse:
    return FileResponse(FOLDER / "file.txt")


@router.get("/breaks/{after}")
async def breaks(after: int) -> StreamingResponse:
    async def pieces() -> AsyncIterator[str]:
        for number in range(after):
            await asyncio.sleep(0)
            yield f"{number}{LONG}"
        raise ValueError("breaks")

    return StreamingResponse(pieces())


@router.get("/odd-breaks")
async def odd_breaks() -> StreamingResponse:
    def pieces() -> Iterator[str]:
        raise Odd("breaks")
        yield ""

    return StreamingResponse(pieces())


@router.get("/starts")
async def starts(request: Request) -> Response:
    # Before its answer, which is the application's own mistake.
    await request._send({"type": "http.response.start", "status": 201, "headers": []})
    return PlainTextResponse(LONG)


@router.get("/refused")
async def refused() -> None:
    raise HTTPException(403, LONG, {"vary": "Accept"})


@router.get("/odd")
async def odd() -> None:
    raise Odd("odd")


@router.get("/fails")
async def fails() -> None:
    raise ValueError("fails")


@router.get("/fails-later")
def fails_later(tasks: BackgroundTasks) -> str:
    tasks.add_task(fails)
    return LONG


@router.post("/echo")
async def echo(value: dict[str, str]) -> dict[str, str]:
    return value


async def odd_handler(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"odd": str(error), "more": LONG}, 460)


def made(add: Callable[[FastAPI], None]) -> FastAPI:
    """Return an application with middleware around answers of all sizes and kinds."""
    app = FastAPI()
    app.include_router(router)
    app.exception_handler(Odd)(odd_handler)
    add(app)
    SHARED.init_headers()
    return app


def make() -> FastAPI:
    return made(lambda app: app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=6))


GZIP = ("accept-encoding", "gzip, deflate")
TYPES = (
    *("", "text/plain", "TEXT/Html ; charset=x", "image/png", "audio/x", "application/gzip"),
    *("application/grpc+proto", "application/grpc", "application/zip;x=y", "font/woff3", "video"),
)


def _around(title: str, *headers: tuple[str, str]) -> list[Case]:
    """Every kind of answer, to requests with these header fields."""
    return [
        case(
            f"whole answers, {title}",
            *(get(f"/json/{size}", 200, *headers) for size in (1, 497, 498, 499, 3000)),
            *(get(f"/thread/{size}", 200, *headers) for size in (1, 600)),
            get("/later", 200, *headers),
            *(get(f"/empty/{status}", status, *headers) for status in (200, 204, 304)),
            send("POST", "/echo", 200, (("content-type", "application/json"), *headers), "{}"),
            send("HEAD", "/json/1", 405, headers),
        ),
        case(
            f"what is not compressed, {title}",
            *(get(f"/typed?type={kind}", 200, *headers) for kind in map(_quoted, TYPES)),
            get("/headed/content-encoding?value=br", 200, *headers),
            get("/headed/Content-Type?value=image/png", 200, *headers),
            get("/headed/x?value=y&status=206", 206, *headers),
        ),
        case(f"large ones, {title}", get("/huge", 200, *headers)),
        case(f"a large one of a thread, {title}", get("/huge-on-thread", 200, *headers)),
        case(
            f"streams, {title}",
            get("/lines", 200, *headers),
            get("/stream", 200, *headers),
            get("/stream?kind=image/png", 200, *headers),
            get("/file", 200, *headers),
        ),
        case(
            f"errors, {title}",
            get("/json/x", 422, *headers),
            get("/refused", 403, *headers),
            get("/odd", 460, *headers),
            get("/absent", 404, *headers),
            get("/json/1/", 307, *headers),
        ),
        case(f"it fails, {title}", get("/fails", 500, *headers, raises="ValueError")),
        case(
            f"it fails after the answer, {title}",
            get("/fails-later", 200, *headers, raises="ValueError"),
        ),
        case(
            f"streams that break, {title}",
            get("/breaks/0", 500, *headers, raises="ValueError"),
            get("/breaks/1", 200, *headers, raises="ValueError"),
            get("/odd-breaks", 500, *headers, raises="RuntimeError"),
            wire=False,
        ),
        case(f"an answer that begins twice, {title}", get("/starts", 200, *headers), wire=False),
        case(
            f"odd responses, {title}",
            get("/bare", 200, *headers),
            get("/views", 200, *headers),
            wire=False,
        ),
        case(
            f"a response that many share, {title}",
            *(get("/shared", 200, *headers) for _ in range(2)),
            wire=False,
        ),
    ]


def _quoted(text: str) -> str:
    return text.replace("+", "%2B").replace(" ", "%20").replace(";", "%3B")


def cases() -> list[Case]:
    """All cases."""
    return [
        *_around("no gzip", ("accept-encoding", "br")),
        *_around("gzip", GZIP),
        case("a first field counts", *_first_counts()),
        case("a body", post("/echo", 200, "{}"), post("/echo", 422, "[]")),
        case(
            "settings are changed",
            get("/json/100", 200, GZIP),
            _setting("minimum_size", 10),
            get("/json/100", 200, GZIP),
            _setting("compresslevel", 1),
            get("/json/1000", 200, GZIP),
            _setting("thread_minimum_size", 900),
            get("/json/1000", 200, GZIP),
            _setting("exclude_content_types", ("Application/JSON",)),
            get("/json/1000", 200, GZIP),
            _setting("exclude_content_types", ["application/*"]),
            get("/json/1000", 200, GZIP),
            _setting("minimum_size", 10.5),
            get("/json/100", 200, GZIP),
        ),
        case(
            "a setting that cannot be",
            _setting("compresslevel", 99),
            get("/json/1000", 500, GZIP, raises="ValueError"),
        ),
        case("a method is hidden", _setting("__call__", None), get("/json/1000", 200, GZIP)),
    ]


def _first_counts() -> Iterator[Step]:
    yield get("/json/600", 200, ("accept-encoding", "br"), GZIP)
    yield get("/json/600", 200, GZIP, ("accept-encoding", "br"))
    yield get("/json/600", 200, ("accept-encoding", "GZIP"))
    yield get("/json/600", 200, ("accept-encoding", "x-gzip;q=0"))


def _setting(name: str, value: Any) -> Callable[[Any], None]:
    def change(app: Any) -> None:
        if app.middleware_stack is None:
            app.middleware_stack = app.build_middleware_stack()
        layer = app.middleware_stack
        while not isinstance(layer, GZipMiddleware):
            layer = layer.app
        setattr(layer, name, value)

    return change


app = make()

CASES = cases()
