"""Limits of the size of bodies, of the application and of what is in it."""

import sys
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Depends,
    FastAPI,
    File,
    Form,
    Request,
    Response,
    UploadFile,
)
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tests.parity.cases.case import Case, case, get, post, send
from tests.parity.cases.forms import MULTIPART, URLENCODED, parts
from tests.parity.generated.prelude import Odd, background, note

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup  # type: ignore[import-not-found]

LIMIT = 8
PLAIN = ("content-type", "text/plain")
LONGER = "123456789"
KEYS = ("starlette.max_body_size", "starlette._body_limit_responder")


async def opened() -> AsyncIterator[str]:
    note("opened")
    try:
        yield "opened"
    except BaseException as error:
        note("saw", type(error).__name__)
        raise
    finally:
        note("closed")


def limits_seen(request: Request) -> Any:
    """What the scope says of limits, and behind what it says it."""
    keys = list(request.scope)
    before = [keys[keys.index(key) - 1] for key in KEYS if key in keys]
    return [request.scope.get(KEYS[0]), type(request.scope.get(KEYS[1])).__name__, before]


def add_routes(router: FastAPI | APIRouter, prefix: str = "", **options: Any) -> None:
    """Adds routes that read their bodies in all ways, or not at all."""

    @router.post(prefix + "/body", **options)
    async def body(
        data: Annotated[bytes, Body()], _: Annotated[str, Depends(opened)], tasks: BackgroundTasks
    ) -> Any:
        tasks.add_task(background, "after", 1)
        return data.decode()

    @router.post(prefix + "/def", **options)
    def function(data: Annotated[bytes, Body()], request: Request) -> Any:
        return [data.decode(), limits_seen(request)]

    @router.post(prefix + "/json", **options)
    async def json(number: Annotated[int, Body()]) -> int:
        return number

    @router.post(prefix + "/form", **options)
    async def form(name: Annotated[str, Form()]) -> str:
        return name

    @router.post(prefix + "/file", **options)
    async def file(file: Annotated[UploadFile, File()]) -> Any:
        return [file.filename, (await file.read()).decode()]

    @router.post(prefix + "/read", **options)
    async def read(request: Request, _: Annotated[str, Depends(opened)]) -> Any:
        return PlainTextResponse(await request.body())

    @router.post(prefix + "/caught", **options)
    async def caught(request: Request) -> Any:
        try:
            return len(await request.body())
        except HTTPException as error:
            return error.detail
        except Exception as error:
            return [type(error).__name__, str(error)]

    @router.post(prefix + "/pieces", **options)
    async def pieces(request: Request) -> Any:
        return [len(piece) async for piece in request.stream()]

    @router.api_route(prefix + "/unread", methods=["GET", "POST"], **options)
    async def unread(request: Request, _: Annotated[str, Depends(opened)]) -> Any:
        note(limits_seen(request))
        return "unread"

    @router.post(prefix + "/untouched", **options)
    async def untouched(_: Annotated[str, Depends(opened)], tasks: BackgroundTasks) -> Any:
        tasks.add_task(background, "after", 1)
        return "untouched"

    @router.post(prefix + "/lines", **options)
    async def lines(_: Annotated[str, Depends(opened)]) -> AsyncIterator[str]:
        yield "line"

    @router.post(prefix + "/raises", **options)
    async def raises() -> None:
        raise Odd("raised")

    @router.post(prefix + "/fails", **options)
    async def fails(request: Request) -> None:
        note(limits_seen(request))
        raise KeyError("failed")

    @router.post(prefix + "/group", **options)
    async def group(request: Request) -> Any:
        try:
            return len(await request.body())
        except HTTPException as error:
            raise ExceptionGroup("a group", [error]) from None

    @router.post(prefix + "/mixed", **options)
    async def mixed(request: Request) -> Any:
        try:
            return len(await request.body())
        except HTTPException as error:
            raise ExceptionGroup("a group", [error, ClientDisconnect()]) from None

    @router.post(prefix + "/streams", **options)
    async def streams(request: Request) -> Any:
        async def sends(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": await request.body()})

        return Sends(sends)


class Sends(Response):
    """A response that is what its application sends."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


async def odd_handler(request: Request, error: Exception) -> Response:
    note("handler", limits_seen(request))
    return JSONResponse({"odd": str(error), "body": (await request.body()).decode()}, 409)


def make() -> FastAPI:
    app = FastAPI(max_body_size=LIMIT)
    app.exception_handler(Odd)(odd_handler)
    add_routes(app)
    add_routes(app, "/wide", max_body_size=20)
    router = APIRouter(max_body_size=4)
    add_routes(router)
    app.include_router(router, prefix="/narrow")
    nested = APIRouter()
    nested.include_router(router, prefix="/inner")
    app.include_router(nested, prefix="/nested", max_body_size=6)
    return app


app = make()

PATHS = ["body", "def", "read", "caught", "pieces", "unread", "untouched", "raises", "group"]


def told(length: object) -> tuple[tuple[str, str], ...]:
    """Headers that say how long the body is."""
    return PLAIN, ("content-length", str(length))


def cases_of(prefix: str, limit: int) -> list[Case]:
    """Bodies around a limit, sent to all routes with a prefix."""
    within, beyond = "x" * limit, "x" * (limit + 1)
    starts = {"raises": 409}
    ends = {"caught": 200, "pieces": 413, "unread": 200, "untouched": 200, "raises": 413}
    return [
        case(
            f"within{prefix}",
            *(post(f"{prefix}/{path}", starts.get(path, 200), within, PLAIN) for path in PATHS),
            post(f"{prefix}/json", 200, "1" * limit),
            post(f"{prefix}/lines", 200, within, PLAIN),
            get(f"{prefix}/unread"),
        ),
        # Over a socket the length is always told.
        case(
            f"within, and told so{prefix}",
            *(
                post(f"{prefix}/{path}", starts.get(path, 200), within, *told(limit))
                for path in PATHS
            ),
            wire=False,
        ),
        case(
            f"beyond{prefix}",
            *(post(f"{prefix}/{path}", ends.get(path, 413), beyond, PLAIN) for path in PATHS),
            post(f"{prefix}/json", 413, "1" * (limit + 1)),
        ),
        case(
            f"beyond, and told so{prefix}",
            *(post(f"{prefix}/{path}", 413, beyond, *told(limit + 1)) for path in PATHS),
            get(f"{prefix}/unread", 413, *told(limit + 1)),
            wire=False,
        ),
        case(
            f"in pieces{prefix}",
            *(
                send(
                    "POST",
                    f"{prefix}/{path}",
                    ends.get(path, 413),
                    (PLAIN,),
                    chunks=(b"x" * limit, b"", b"y"),
                )
                for path in PATHS
            ),
            wire=False,
        ),
        case(
            f"another length is told{prefix}",
            *(post(f"{prefix}/body", 413, beyond, *told(said)) for said in (1, "x", "", "1_0", -1)),
            *(
                post(f"{prefix}/body", 200, within, *told(said))
                for said in (1, "x", "", f"+{limit}", -1)
            ),
            wire=False,
        ),
        case(
            f"forms{prefix}",
            post(f"{prefix}/form", 200, "name=xyz"[: max(limit, 6)], URLENCODED)
            if limit >= LIMIT
            else post(f"{prefix}/form", 413, "name=xyz", URLENCODED),
            post(f"{prefix}/form", 413, "name=" + beyond, URLENCODED),
            post(f"{prefix}/file", 413, parts(('name="file"; filename="a"', "text")), MULTIPART),
            wire=False,
        ),
        case(
            f"exceptions{prefix}",
            post(f"{prefix}/fails", 500, within, PLAIN, raises="KeyError"),
            post(f"{prefix}/fails", 500, beyond, *told(limit + 1), raises="KeyError"),
            post(f"{prefix}/mixed", 500, beyond, PLAIN, raises="ExceptionGroup"),
            post(f"{prefix}/lines", 200, beyond, PLAIN, raises="RuntimeError"),
            post(f"{prefix}/lines", 413, beyond, *told(limit + 1)),
            post(f"{prefix}/streams", 200, within, PLAIN),
            post(f"{prefix}/streams", 200, beyond, PLAIN, raises="RuntimeError"),
            post(f"{prefix}/streams", 413, beyond, *told(limit + 1)),
            wire=False,
        ),
    ]


CASES = [
    *cases_of("", LIMIT),
    *cases_of("/wide", 20),
    *cases_of("/narrow", 4),
    *cases_of("/nested/inner", 4),
    case(
        "no route",
        get("/missing", 404),
        post("/missing", 404, LONGER, PLAIN),
        post("/missing", 413, LONGER, *told(9)),
        send("PUT", "/body", 405, (PLAIN,), LONGER),
        send("PUT", "/body", 413, told(9), LONGER),
        wire=False,
    ),
]
