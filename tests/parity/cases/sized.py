"""An application with answers of all sizes and kinds, to be put under middleware."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse

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
